// A function in a VPC, with a file system, a dead-letter queue, a key and
// limits that no local run honours.
const { App, Stack, Size, Duration } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Vpc } = require('aws-cdk-lib/aws-ec2');
const efs = require('aws-cdk-lib/aws-efs');
const { Key } = require('aws-cdk-lib/aws-kms');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const vpc = new Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1 });
const files = new efs.FileSystem(stack, 'Files', { vpc });
const access = files.addAccessPoint('Access', { path: '/shop', createAcl: { ownerUid: '1000', ownerGid: '1000', permissions: '750' }, posixUser: { uid: '1000', gid: '1000' } });
new lambda.Function(stack, 'Hello', node({
  vpc,
  filesystem: lambda.FileSystem.fromEfsAccessPoint(access, '/mnt/files'),
  deadLetterQueueEnabled: true,
  environmentEncryption: new Key(stack, 'Key'),
  ephemeralStorageSize: Size.mebibytes(1024),
  timeout: Duration.minutes(1),
  environment: { FILES: '/mnt/files', VPC: vpc.vpcId, SUBNET: vpc.privateSubnets[0].subnetId, ACCESS: access.accessPointId },
}));
app.synth();
