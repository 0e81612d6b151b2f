package main

import (
	"bytes"
	"fmt"
	"go/format"
	"slices"
	"strings"

	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// What is written for all schemas together: ids, versions and shapes; the list of types for tests; the tables of the page.

// shapes is the file with the look-up of shapes.
func shapes(schemas []*schema.Schema) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, notice, "*.xml")
	fmt.Fprintf(&out, "package gen\n\n// The ids of the schemas and the newest version of each.\nconst (\n")
	for _, s := range schemas {
		name := schemaName(s)
		fmt.Fprintf(&out, "Schema%s = %d\nVersion%s = %d\n", name, s.ID, name, s.Version)
	}
	fmt.Fprintf(&out, ")\n\n// ShapeOf is the shape of a message in a version of its schema, or in the newest where the version is newer; ok is false\n"+
		"// where the schema has no such template.\nfunc ShapeOf(schema, template, version uint16) (s Shape, ok bool) {\n"+
		"switch uint32(schema)<<16 | uint32(template) {\n")
	for _, s := range schemas {
		for _, m := range s.Messages {
			fmt.Fprintf(&out, "case Schema%s<<16 | Template%s:\n", schemaName(s), m.Name)
			for _, v := range versions(m) {
				if v < s.Version {
					fmt.Fprintf(&out, "if version <= %d {\nreturn %s, true\n}\n", v, shapeText(m, v))
				}
			}
			fmt.Fprintf(&out, "return %s, true\n", shapeText(m, s.Version))
		}
	}
	fmt.Fprintf(&out, "}\nreturn Shape{}, false\n}\n")
	return format.Source(out.Bytes())
}

// versions are the versions after which the message grew.
func versions(m *schema.Message) (before []uint16) {
	add := func(fields []schema.Field) {
		for i := range fields {
			if since := fields[i].Since; since > 0 && !slices.Contains(before, since-1) {
				before = append(before, since-1)
			}
		}
	}
	add(m.Fields)
	for i := range m.Groups {
		add(m.Groups[i].Fields)
	}
	slices.Sort(before)
	return before
}

func shapeText(m *schema.Message, version uint16) string {
	parts := []string{fmt.Sprintf("Block: %d", m.BlockAt(version))}
	if len(m.Groups) > 0 {
		g := &m.Groups[0]
		parts = append(parts, fmt.Sprintf("Entry: %d, Min: %d, Max: %d", g.BlockAt(version), g.Min, g.Max))
	}
	if len(m.Data) > 0 {
		parts = append(parts, fmt.Sprintf("Data: true, DataMax: %d", m.Data[0].Max))
	}
	return "Shape{" + strings.Join(parts, ", ") + "}"
}

// schemaName is the name of a schema in Go: the last word of its package.
func schemaName(s *schema.Schema) string {
	switch word := s.Package[strings.LastIndexByte(s.Package, '.')+1:]; word {
	case "orderentry":
		return "OrderEntry"
	case "marketdata":
		return "MarketData"
	default:
		return goName(word)
	}
}

// registry is the list of all types, for tests.
func registry(schemas []*schema.Schema) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, notice, "*.xml")
	fmt.Fprintf(&out, "package gen_test\n\nimport \"github.com/lockstep-exchange/lockstep/wire/gen\"\n\n"+
		"// types are a pointer to each message and, where it has a group, to an entry of it.\n"+
		"var types = []struct {\nschema, template uint16\nmessage, entry any\n}{\n")
	for _, s := range schemas {
		for _, m := range s.Messages {
			entry := "nil"
			if len(m.Groups) > 0 {
				entry = "new(gen." + m.Name + goName(m.Groups[0].Name) + ")"
			}
			fmt.Fprintf(&out, "{gen.Schema%s, gen.Template%s, new(gen.%s), %s},\n", schemaName(s), m.Name, m.Name, entry)
		}
	}
	fmt.Fprintf(&out, "}\n")
	return format.Source(out.Bytes())
}

// messageTables are the offset tables of a schema, and the tables of its enums and sets.
func messageTables(s *schema.Schema) []byte {
	var out bytes.Buffer
	for _, m := range s.Messages {
		fmt.Fprintf(&out, "\n### %d %s\n\n%s. ", m.ID, m.Name, m.Description)
		fmt.Fprintf(&out, "Block %d bytes%s.\n", m.Block, frameText(s, m))
		if len(m.Fields) > 0 {
			fieldTable(&out, m.Fields)
		}
		for i := range m.Groups {
			g := &m.Groups[i]
			fmt.Fprintf(&out, "\nGroup `%s`, %d to %d entries of %d bytes each:\n", g.Name, g.Min, g.Max, g.Block)
			fieldTable(&out, g.Fields)
		}
		for i := range m.Data {
			d := &m.Data[i]
			kind := "bytes"
			if d.Text {
				kind = "text"
			}
			if d.Max == 0 {
				kind = "always empty"
			}
			fmt.Fprintf(&out, "\nThen `%s`: u16 length, %s.\n", d.Name, kind)
		}
	}
	fmt.Fprintf(&out, "\n")
	valueTables(&out, s)
	return out.Bytes()
}

// frameText says how long the message is with all that is around it.
func frameText(s *schema.Schema, m *schema.Message) string {
	switch {
	case s.ID == schema.CredentialsID:
		return ""
	case len(m.Groups) > 0:
		return fmt.Sprintf(", frame %d + %d for each entry", m.Block+20, m.Groups[0].Block)
	case len(m.Data) > 0:
		return fmt.Sprintf(", frame %d + data", m.Block+16)
	case s.ID == schema.MarketDataID && m.Block%8 == 6:
		return fmt.Sprintf(", record %d", m.Block+10)
	}
	return fmt.Sprintf(", frame %d", m.Block+14)
}

func fieldTable(out *bytes.Buffer, fields []schema.Field) {
	fmt.Fprintf(out, "\n| offset | field | type | |\n|---|---|---|---|\n")
	for i := range fields {
		f := &fields[i]
		about := ""
		switch {
		case f.Reserved:
			about = "zero"
		case f.Enum != nil:
			about = f.Enum.Name
		case f.Set != nil:
			about = f.Set.Name
		}
		if f.Optional {
			about = strings.TrimPrefix(about+", or none", ", ")
		}
		fmt.Fprintf(out, "| %d | %s | %s | %s |\n", f.Offset, f.Name, wireType(f), about)
	}
}

func valueTables(out *bytes.Buffer, s *schema.Schema) {
	if len(s.Enums)+len(s.Sets) == 0 {
		return
	}
	fmt.Fprintf(out, "| enum or set | type | values, or bits | |\n|---|---|---|---|\n")
	list := func(values []schema.Value) string {
		var parts []string
		for _, v := range values {
			parts = append(parts, fmt.Sprintf("%d %s", v.Number, v.Name))
		}
		return strings.Join(parts, ", ")
	}
	for _, e := range s.Enums {
		fmt.Fprintf(out, "| %s | u%d | %s | %s |\n", e.Name, 8*e.Primitive.Size(), list(e.Values), e.Description)
	}
	for _, t := range s.Sets {
		fmt.Fprintf(out, "| %s | u%d bits | %s | %s |\n", t.Name, 8*t.Primitive.Size(), list(t.Bits), t.Description)
	}
	fmt.Fprintf(out, "\n")
}
