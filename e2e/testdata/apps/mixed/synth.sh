#!/bin/sh
# Writes cdk.out anew from app.js. The libraries go into a folder that is
# removed again.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json "$work"
npm install --prefix "$work" --silent --no-audit --no-fund --no-package-lock
rm -rf cdk.out
NODE_PATH=$work/node_modules CDK_OUTDIR=cdk.out \
	CDK_CONTEXT_JSON='{"aws:cdk:enable-path-metadata":true,"aws:cdk:enable-asset-metadata":true,"@aws-cdk/core:newStyleStackSynthesis":true}' \
	node app.js
# Not read by anything here, and large.
rm -f cdk.out/tree.json
