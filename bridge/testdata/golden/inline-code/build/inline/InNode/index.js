exports.handler = async (event) => ({ from: "node", event });
