package assembly

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Assets are what a stack's resources are made of. Their paths are looked at
// only when one is asked for: an asset that no function needs may be gone.
type Assets struct {
	root   string
	dir    string
	files  map[string]fileSource
	images map[string]imageSource
	// found are the paths that were followed and confined already: many
	// functions may share one asset.
	found map[string]string
}

// assetManifest is the part of an asset manifest that matters here.
type assetManifest struct {
	Version string `json:"version"`
	Files   map[string]struct {
		Source       fileSource `json:"source"`
		Destinations map[string]struct {
			ObjectKey string `json:"objectKey"`
		} `json:"destinations"`
	} `json:"files"`
	DockerImages map[string]struct {
		Source       imageSource `json:"source"`
		Destinations map[string]struct {
			ImageTag string `json:"imageTag"`
		} `json:"destinations"`
	} `json:"dockerImages"`
}

type fileSource struct {
	Path      string `json:"path"`
	Packaging string `json:"packaging"`
}

type imageSource struct {
	Directory         string            `json:"directory"`
	DockerFile        string            `json:"dockerFile"`
	DockerBuildArgs   map[string]string `json:"dockerBuildArgs"`
	DockerBuildTarget string            `json:"dockerBuildTarget"`
	Platform          string            `json:"platform"`
}

// Image is the source of a container image asset.
type Image struct {
	// Context is the absolute path of the build context.
	Context string
	// Dockerfile is relative to Context, "Dockerfile" where the asset names
	// none.
	Dockerfile string
	BuildArgs  map[string]string
	Target     string
	// Platform is docker's ("linux/arm64"), "" where the asset names none.
	Platform string
}

// assetsOf reads the asset manifests that a stack depends on.
func (l *loader) assetsOf(dir, id string, a artifact, m manifest) (*Assets, error) {
	assets := &Assets{root: l.root, dir: dir, files: map[string]fileSource{}, images: map[string]imageSource{}, found: map[string]string{}}
	for _, name := range append([]string{id + ".assets"}, a.Dependencies...) {
		dependency := m.Artifacts[name]
		if dependency.Type != "cdk:asset-manifest" {
			continue
		}
		file, err := l.inside(dir, dependency.Properties.File)
		if err != nil {
			return nil, fmt.Errorf("asset manifest %s: %w", name, err)
		}
		var read assetManifest
		if err := l.decode(file, &read); err != nil {
			return nil, fmt.Errorf("asset manifest %w", err)
		}
		assets.add(read)
	}
	return assets, nil
}

func (a *Assets) add(m assetManifest) {
	for hash, file := range m.Files {
		a.files[hash] = file.Source
		for _, destination := range file.Destinations {
			a.files[destination.ObjectKey] = file.Source
		}
	}
	for hash, image := range m.DockerImages {
		a.images[hash] = image.Source
		for _, destination := range image.Destinations {
			a.images[destination.ImageTag] = image.Source
		}
	}
}

// File is the absolute path of the file asset with this S3 key: a folder, or a
// .zip or other file. ok is false where the stack has no such asset.
func (a *Assets) File(key string) (path string, ok bool, err error) {
	source, ok := a.files[key]
	if !ok {
		return "", false, nil
	}
	path, err = a.inside(source.Path)
	if err != nil {
		return "", true, fmt.Errorf("asset %s: %w", key, err)
	}
	return path, true, nil
}

// Path is the absolute path of an aws:asset:path metadata value.
func (a *Assets) Path(name string) (string, error) { return a.inside(name) }

// Image is the image asset whose tag ends uri, as every synthesizer makes it.
// ok is false where the stack has no such asset.
func (a *Assets) Image(uri string) (image Image, ok bool, err error) {
	tag := uri[strings.LastIndex(uri, ":")+1:]
	source, ok := a.images[tag]
	if !ok {
		return Image{}, false, nil
	}
	image = Image{Dockerfile: source.DockerFile, BuildArgs: source.DockerBuildArgs, Target: source.DockerBuildTarget, Platform: source.Platform}
	if image.Dockerfile == "" {
		image.Dockerfile = "Dockerfile"
	}
	image.Context, err = a.inside(source.Directory)
	if err != nil {
		return Image{}, true, fmt.Errorf("image asset %s: %w", tag, err)
	}
	return image, true, nil
}

func (a *Assets) inside(name string) (string, error) {
	if path, ok := a.found[name]; ok {
		return path, nil
	}
	path, err := a.confine(name)
	if err == nil {
		a.found[name] = path
	}
	return path, err
}

// confine is the absolute path of an asset's source. Relative paths are relative
// to the folder of the manifest. An absolute one is the CDK's way to leave an
// asset where the app has it (cdk synth --no-staging): it may lie below the
// folder that holds the assembly, which is the app's project, and nowhere else.
func (a *Assets) confine(name string) (string, error) {
	if !filepath.IsAbs(name) {
		return confine(a.root, filepath.Join(a.dir, name))
	}
	path, err := confine(a.root, name)
	if err == nil || !errors.As(err, new(*outsideError)) {
		return path, err
	}
	project := filepath.Dir(a.root)
	if project != filepath.Dir(project) { // else all of the file system
		if path, err = confine(project, name); err == nil || !errors.As(err, new(*outsideError)) {
			return path, err
		}
	}
	return "", fmt.Errorf("%s was not staged, and lies outside %s, the folder of the cloud assembly, so it is not read; synthesise without --no-staging, or into a folder beside the code", name, project)
}

// outsideError says that a path leads out of the assembly.
type outsideError struct{ path, root string }

func (e *outsideError) Error() string {
	return fmt.Sprintf("%s lies outside the cloud assembly %s, so it is not read", e.path, e.root)
}
