// Answers with what a layer makes of a text.
exports.handler = async () => require('/opt/nodejs/text')('hello from a layer');
