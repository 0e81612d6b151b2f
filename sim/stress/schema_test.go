package stress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// The schema of docs/schema is what the JSON of a report is checked against, by as much of JSON Schema as that file uses; a word that it
// does not know fails the test.
type schema map[string]any

// faults are what a value has that the schema does not allow.
func (s schema) faults(root schema, at string, v any) (found []string) {
	if ref, ok := s["$ref"].(string); ok {
		return schema(root["$defs"].(map[string]any)[filepath.Base(ref)].(map[string]any)).faults(root, at, v)
	}
	add := func(format string, args ...any) { found = append(found, at+": "+fmt.Sprintf(format, args...)) }
	for word := range s {
		if !slices.Contains([]string{"$schema", "$defs", "title", "description", "type", "additionalProperties", "required", "properties", "items", "pattern", "enum"}, word) {
			add("the schema says %s, which nobody checks", word)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for _, name := range s["required"].([]any) {
			if _, there := v[name.(string)]; !there {
				add("has no %s", name)
			}
		}
		for name, inner := range v {
			if p, ok := properties[name].(map[string]any); ok {
				found = append(found, schema(p).faults(root, at+"."+name, inner)...)
			} else {
				add("has %s", name)
			}
		}
	case []any:
		for i, inner := range v {
			found = append(found, schema(s["items"].(map[string]any)).faults(root, fmt.Sprintf("%s[%d]", at, i), inner)...)
		}
	case string:
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			add("%q is not %s", v, p)
		}
		if words, ok := s["enum"].([]any); ok && !slices.Contains(words, any(v)) {
			add("%q is none of %v", v, words)
		}
	}
	kinds := map[string]bool{"object": false, "array": false, "string": false, "integer": false, "boolean": false}
	switch v := v.(type) {
	case map[string]any:
		kinds["object"] = true
	case []any:
		kinds["array"] = true
	case string:
		kinds["string"] = true
	case bool:
		kinds["boolean"] = true
	case json.Number:
		_, err := v.Int64()
		kinds["integer"] = err == nil
	}
	if kind, _ := s["type"].(string); !kinds[kind] {
		add("is %T, expected %s", v, kind)
	}
	return found
}

func TestSchema(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema", "stress-compare.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gap-down", "oracle-freeze"} {
		p := compareOf(t, Options{Book: bookOf(t, "institutional"), Shock: shockOf(t, name), Modes: both, Seed: 7})
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		for _, fault := range root.faults(root, name, v) {
			t.Error(fault)
		}
	}
	if len(root.faults(root, "empty", map[string]any{"x": json.Number("1.5")})) < 10 {
		t.Error("an empty report is taken")
	}
}
