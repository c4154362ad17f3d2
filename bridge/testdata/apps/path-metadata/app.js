// The app of nested, with metadata in its templates. SAM CLI #5728.
require('../nested/app.js');
