// Answers with what it was asked and what its environment says.
exports.handler = async (event) => ({ event, table: process.env.TABLE ?? null });
