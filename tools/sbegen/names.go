package main

import (
	"strings"

	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// How names of XML become names of Go: clOrdId is ClOrdID, Price.mantissa is PriceMantissa.

// goName is the exported name of a field.
func goName(name string) string {
	var out strings.Builder
	for _, part := range strings.Split(name, ".") {
		part = strings.ToUpper(part[:1]) + part[1:]
		if stem, ok := strings.CutSuffix(part, "Id"); ok {
			part = stem + "ID"
		}
		out.WriteString(part)
	}
	return out.String()
}

// goType is the Go type of one element of a field.
func goType(f *schema.Field) string {
	switch {
	case f.Enum != nil:
		return f.Enum.Name
	case f.Set != nil:
		return f.Set.Name
	case f.Primitive == schema.Char:
		return "byte"
	}
	return f.Primitive.String()
}
