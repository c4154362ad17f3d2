package samtemplate

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/model"
)

// writable are the functions that the SAM CLI can run. The others are noted.
func (w *writer) writable() []*model.Function {
	var kept []*model.Function
	for _, f := range w.app.Functions {
		switch {
		case f.Helper && !w.helpers:
			w.note(f.Path, "a function that the CDK made for itself is left out; --helpers keeps it")
		case f.Code.Path == "" && f.Code.Inline == "" && f.Code.Image == nil:
			w.warn(f.Path, "the function is left out: its code is not on this machine")
		default:
			kept = append(kept, f)
			w.noteSecrets(f)
		}
	}
	return kept
}

func (w *writer) noteSecrets(f *model.Function) {
	if len(f.Secrets) > 0 {
		w.warn(f.Path, "%s is not written, since it may be secret; give it to the SAM CLI with --env-vars", strings.Join(f.Secrets, ", "))
	}
}

// codePath is the folder or .zip file of a function's code, relative to the
// template. Code that stands in the template is put into a file first.
func (w *writer) codePath(f *model.Function) string {
	if f.Code.Inline == "" {
		return w.relative(f.Code.Path)
	}
	file := "index.js"
	if strings.HasPrefix(f.Runtime, "python") {
		file = "index.py"
	}
	folder := path.Join("inline", w.names.logicalID(f))
	w.files[path.Join(folder, file)] = []byte(f.Code.Inline)
	w.code[folder] = true
	return folder
}

// relative is a path relative to the template. Many functions may share one
// asset.
func (w *writer) relative(absolute string) string {
	relative, ok := w.relatives[absolute]
	if !ok {
		relative = absolute // on another volume
		if found, err := filepath.Rel(w.dir, absolute); err == nil {
			relative = filepath.ToSlash(found)
		}
		w.relatives[absolute] = relative
	}
	return relative
}

// layerList names a function's layers: its own by Ref, others by ARN.
func (w *writer) layerList(f *model.Function) []any {
	var list []any
	for _, layer := range f.Layers {
		switch {
		case layer.ARN != "" && !strings.HasPrefix(layer.ARN, "arn:"):
			w.warn(f.Path, "the layer %s is left out: its ARN is not known", layer.ARN)
		case layer.ARN != "":
			w.warn(f.Path, "the SAM CLI downloads the layer %s with your AWS credentials", layer.ARN)
			list = append(list, layer.ARN)
		case layer.Path == "":
			w.warn(f.Path, "the layer %s is left out: its content is not on this machine", layer.ID.Path)
		default:
			list = append(list, map[string]string{"Ref": w.names.logicalID(layer)})
		}
	}
	return list
}

// layersOf are the application's own layers that the functions use, in the
// order of their ids.
func (w *writer) layersOf(functions []*model.Function) []*model.Layer {
	var all []*model.Layer
	seen := map[*model.Layer]bool{}
	for _, f := range functions {
		for _, layer := range f.Layers {
			if layer.ARN == "" && layer.Path != "" && !seen[layer] {
				seen[layer] = true
				all = append(all, layer)
			}
		}
	}
	return all
}

// imageTag is the local tag of an image function: the template's own for an
// image of elsewhere, a made one for an asset that is built here.
func (w *writer) imageTag(f *model.Function) string {
	if f.Code.Image.Context == "" {
		return f.Code.Image.URI
	}
	return strings.ToLower(w.names.logicalID(f)) + ":latest"
}

// imageMetadata is what sam build needs to build an image function.
func (w *writer) imageMetadata(f *model.Function) section {
	image := f.Code.Image
	if image.Context == "" {
		return nil
	}
	w.warn(f.Path, "a container image must be built before it runs: sam build -t %s %s", filepath.Join(DefaultDir, "template.yaml"), w.names.logicalID(f))
	m := section{
		{"Dockerfile", image.Dockerfile},
		{"DockerContext", w.relative(image.Context)},
		{"DockerTag", "latest"},
	}
	if len(image.BuildArgs) > 0 {
		m = append(m, entry{"DockerBuildArgs", image.BuildArgs})
	}
	if image.Target != "" {
		m = append(m, entry{"DockerBuildTarget", image.Target})
	}
	return m
}

func imageConfig(image *model.Image) section {
	var c section
	if len(image.Command) > 0 {
		c = append(c, entry{"Command", image.Command})
	}
	if len(image.EntryPoint) > 0 {
		c = append(c, entry{"EntryPoint", image.EntryPoint})
	}
	if image.WorkingDirectory != "" {
		c = append(c, entry{"WorkingDirectory", image.WorkingDirectory})
	}
	return c
}
