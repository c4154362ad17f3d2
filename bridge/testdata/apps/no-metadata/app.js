// A function, a layer and an image, synthesised without the cdk command: no
// metadata says where their assets are. SAM CLI #2802.
require('../cdk-cli/app');
