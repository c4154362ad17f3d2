package dynamodb

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// importSuffix is in the name of a file whose items are on their way into the
// table that was made anew: a process that dies meanwhile goes on.
const importSuffix = "import"

// file is where the items of a table are kept outside of it.
func (s *Service) file(table, suffix string) string {
	return filepath.Join(s.env.Dir, table+"."+suffix+".jsonl")
}

// export writes all items of a table into a file, one a line in DynamoDB's
// JSON, which is whole before it has its name.
func (s *Service) export(p *process, table, suffix string) (string, error) {
	s.transaction.Lock() // nothing is written meanwhile
	defer s.transaction.Unlock()
	path := s.file(table, suffix)
	f, err := os.CreateTemp(s.env.Dir, ".exporting-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	err = s.scan(p, map[string]any{"TableName": table}, func(i item) error {
		_, err := w.Write(append(encode(i), '\n'))
		return err
	})
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		return "", fmt.Errorf("cannot keep the items of %s: %w", table, err)
	}
	return path, os.Rename(f.Name(), path)
}

// scan calls fn with each item that a Scan gives.
func (s *Service) scan(p *process, request map[string]any, fn func(item) error) error {
	for {
		a, err := p.call(s.ctx, "Scan", encode(request))
		if err == nil {
			err = a.failure()
		}
		if err != nil {
			return err
		}
		var page struct {
			Items            []item
			LastEvaluatedKey item
		}
		if err := json.Unmarshal(a.body, &page); err != nil {
			return err
		}
		for _, i := range page.Items {
			if err := fn(i); err != nil {
				return err
			}
		}
		if page.LastEvaluatedKey == nil {
			return nil
		}
		request["ExclusiveStartKey"] = page.LastEvaluatedKey
	}
}

// imports puts the items back that were kept for a table, if there are any.
func (s *Service) imports(p *process, table string) error {
	path := s.file(table, importSuffix)
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // an item has 400 KB at most
	for lines.Scan() {
		a, err := p.call(s.ctx, "PutItem", encode(map[string]any{"TableName": table, "Item": json.RawMessage(lines.Bytes())}))
		if err == nil {
			err = a.failure()
		}
		if err != nil {
			return fmt.Errorf("cannot put the items of %s back, which are in %s: %w", table, path, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return os.Remove(path)
}
