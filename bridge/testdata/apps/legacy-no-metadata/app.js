// The app of legacy-synthesizer, synthesised without the cdk command and so
// without metadata of assets in its templates. SAM CLI #2802.
require('../legacy-synthesizer/app');
