module.exports = 'from a layer that was not staged';
