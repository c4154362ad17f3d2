package service

import "encoding/json"

// Operation makes an operation of a service S, which reads its input from JSON,
// of what takes the input as a struct.
func Operation[S, In any](do func(S, *In) (any, error)) func(S, []byte) (any, error) {
	return func(s S, payload []byte) (any, error) {
		in := new(In)
		if len(payload) > 0 {
			if err := json.Unmarshal(payload, in); err != nil {
				return nil, Errorf("SerializationException", "the request cannot be read: %v", err)
			}
		}
		return do(s, in)
	}
}
