// Answers with what a layer says.
exports.handler = async () => require('/opt/nodejs/text.js');
