package overrides

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/bailey-cdk/bailey/bridge/cfn"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// File is the name of Bailey's settings, in the folder of cdk.json.
const File = "bailey.toml"

// Settings are the overrides of one run. The zero value overrides nothing.
type Settings struct {
	// Parameters are values of template parameters.
	Parameters map[string]string
	// EnvVars are the --env-vars file's. Such files hold passwords, so what
	// comes from one is marked as secret in the application.
	EnvVars Environment
	// Saved are the variables of bailey.toml.
	Saved Environment
}

// Environment is variables by function: a function's short name, construct
// path, logical id or FunctionName, or "Parameters" for all.
type Environment map[string]map[string]string

// allFunctions is the SAM CLI's key for variables of every function.
const allFunctions = "Parameters"

// Load gathers the settings: parameters as --parameter-overrides takes them,
// the path of an --env-vars file or "", and the path of bailey.toml, which
// need not exist.
func Load(parameters []string, envVars, file string) (*Settings, error) {
	s := &Settings{}
	saved, err := readFile(file)
	if err != nil {
		return nil, err
	}
	if s.Parameters, err = ParseParameters(parameters); err != nil {
		return nil, err
	}
	for name, value := range saved.Parameters {
		if _, given := s.Parameters[name]; !given {
			s.Parameters[name] = value
		}
	}
	if envVars != "" {
		if s.EnvVars, err = ReadEnvVars(envVars); err != nil {
			return nil, err
		}
	}
	s.Saved = saved.Env
	return s, nil
}

// settingsFile is bailey.toml.
type settingsFile struct {
	Parameters map[string]string `toml:"parameters"`
	Env        Environment       `toml:"env"`
}

func readFile(path string) (settingsFile, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return settingsFile{}, nil
	}
	if err != nil {
		return settingsFile{}, err
	}
	return parseFile(path, data)
}

func parseFile(path string, data []byte) (settingsFile, error) {
	var s settingsFile
	d := toml.NewDecoder(strings.NewReader(string(data))).DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return s, fmt.Errorf("%s: unknown setting: it has the tables [parameters] and [env.FUNCTION]\n%s", path, strict.String())
		}
		var decode *toml.DecodeError
		if errors.As(err, &decode) {
			line, column := decode.Position()
			return s, fmt.Errorf("%s:%d:%d: %w", path, line, column, err)
		}
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ReadEnvVars reads an --env-vars file: {"Checkout": {"TABLE": "orders"},
// "Parameters": {"LOG_LEVEL": "debug"}}.
func ReadEnvVars(path string) (Environment, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--env-vars: %w", err)
	}
	return ParseEnvVars(path, data)
}

// ParseEnvVars reads the content of an --env-vars file.
func ParseEnvVars(path string, data []byte) (Environment, error) {
	var raw map[string]map[string]any
	if err := cfn.DecodeJSON(path, data, &raw); err != nil {
		return nil, fmt.Errorf(`--env-vars %w; it must be like {"Function": {"NAME": "value"}}`, err)
	}
	e := Environment{}
	for function, variables := range raw {
		e[function] = map[string]string{}
		for name, value := range variables {
			switch value := value.(type) {
			case map[string]any, []any, nil:
				return nil, fmt.Errorf("--env-vars %s: %s.%s is not a text, number or boolean", path, function, name)
			default:
				e[function][name] = fmt.Sprint(value)
			}
		}
	}
	return e, nil
}

// ParseParameters reads --parameter-overrides in the SAM CLI's two forms,
// "Key=Value" and "ParameterKey=Key,ParameterValue=Value", any number of them
// in each text. A value with spaces stands in double quotes, in which a
// backslash takes the next character as it is.
func ParseParameters(texts []string) (map[string]string, error) {
	parameters := map[string]string{}
	for _, text := range texts {
		words, err := split(text)
		if err != nil {
			return nil, fmt.Errorf("--parameter-overrides %q: %w", text, err)
		}
		for _, word := range words {
			name, value, ok := strings.Cut(word, "=")
			if name == "ParameterKey" && strings.Contains(value, ",ParameterValue=") {
				name, value, _ = strings.Cut(value, ",ParameterValue=")
			}
			if !ok || name == "" {
				return nil, fmt.Errorf("--parameter-overrides: %q is neither Key=Value nor ParameterKey=Key,ParameterValue=Value", word)
			}
			parameters[name] = value
		}
	}
	return parameters, nil
}

// split splits at white space outside double quotes, and takes these away.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, quoted, escaped := false, false, false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted, inside = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(c)
			inside = true
		}
	}
	if quoted {
		return nil, errors.New("a double quote is not closed")
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

// Apply sets the environment variables that the settings give, and returns
// remarks on those that could not be set.
func (s *Settings) Apply(app *model.Application) []string {
	remarks := apply(app, s.Saved, func(f *model.Function, name, value string) {
		f.Environment[name] = value
	})
	return append(remarks, apply(app, s.EnvVars, func(f *model.Function, name, value string) {
		f.Environment[name] = value
		if !slices.Contains(f.Secrets, name) {
			f.Secrets = append(f.Secrets, name)
			slices.Sort(f.Secrets)
		}
	})...)
}

func apply(app *model.Application, e Environment, set func(f *model.Function, name, value string)) []string {
	for _, f := range app.Functions {
		for name, value := range e[allFunctions] {
			if _, declared := f.Environment[name]; declared {
				set(f, name, value)
			}
		}
	}
	var remarks []string
	for _, key := range slices.Sorted(maps.Keys(e)) {
		if key == allFunctions {
			continue
		}
		f, err := app.Function(key)
		if err != nil {
			remarks = append(remarks, "environment variables: "+err.Error())
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(e[key])) {
			if _, declared := f.Environment[name]; !declared {
				remarks = append(remarks, fmt.Sprintf("environment variable %q of %s is not set: the function does not declare it; add it to its Environment", name, f.Path))
				continue
			}
			set(f, name, e[key][name])
		}
	}
	return remarks
}
