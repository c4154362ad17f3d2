package assembly

import "github.com/bailey-cdk/bailey/bridge/cfn"

// legacyAsset is an asset of a stack with the LegacyStackSynthesizer, which has
// no asset manifest: its assets are metadata (aws:cdk:asset) of the stack, and
// its template takes the place of each from parameters that the cdk command
// gives at deployment.
type legacyAsset struct {
	ID        string `json:"id"`
	Path      string `json:"path"`
	Packaging string `json:"packaging"`
	// S3KeyParameter is given "prefix||name".
	S3KeyParameter string `json:"s3KeyParameter"`

	ImageTag  string            `json:"imageTag"`
	File      string            `json:"file"`
	Target    string            `json:"target"`
	BuildArgs map[string]string `json:"buildArgs"`
	Platform  string            `json:"platform"`
}

// addLegacy adds the assets that a stack's metadata describes, and gives the
// template's parameters the defaults by which they are found.
func (a *Assets) addLegacy(metadata map[string][]metadataEntry, t *cfn.Template) {
	for _, entries := range metadata {
		for _, entry := range entries {
			if entry.Type != "aws:cdk:asset" || entry.Data.asset.Path == "" {
				continue
			}
			switch asset := entry.Data.asset; asset.Packaging {
			case "container-image":
				a.images[asset.ImageTag] = imageSource{
					Directory: asset.Path, DockerFile: asset.File, DockerBuildArgs: asset.BuildArgs,
					DockerBuildTarget: asset.Target, Platform: asset.Platform,
				}
			case "zip", "file":
				a.addLegacyFile(asset, t)
			}
		}
	}
}

func (a *Assets) addLegacyFile(asset legacyAsset, t *cfn.Template) {
	source := fileSource{Path: asset.Path, Packaging: asset.Packaging}
	key := asset.ID + ".zip"
	a.files[key] = source
	a.files[asset.S3KeyParameter] = source // a nested stack's TemplateURL ends in a Ref of it
	if p := t.Parameters[asset.S3KeyParameter]; p != nil && p.Default == nil {
		p.Default = "||" + key
	}
}
