package schema

// How a file becomes a Schema: XML to a tree of elements with their lines, the tree to types, the types to offsets.

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// element is one XML element.
type element struct {
	name     string
	line     int
	attrs    []xml.Attr
	children []*element
	text     string
}

// attr is the value of an attribute; empty where it is not there.
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// allowed are the attributes that an element may have; those that change bytes are read, the others are for people.
var allowed = map[string][]string{
	"messageSchema": {"package", "id", "version", "semanticVersion", "description", "byteOrder", "headerType", "sbe", "xsi", "xs", "schemaLocation"},
	"types":         {},
	"type": {"name", "description", "primitiveType", "length", "presence", "nullValue", "minValue", "maxValue", "characterEncoding",
		"semanticType", "sinceVersion"},
	"composite":  {"name", "description", "semanticType"},
	"enum":       {"name", "description", "encodingType"},
	"validValue": {"name", "description", "sinceVersion"},
	"set":        {"name", "description", "encodingType"},
	"choice":     {"name", "description", "sinceVersion"},
	"message":    {"name", "id", "blockLength", "description", "semanticType", "deprecated"},
	"field":      {"name", "id", "type", "offset", "presence", "description", "semanticType", "sinceVersion", "deprecated"},
	"group":      {"name", "id", "dimensionType", "blockLength", "description"},
	"data":       {"name", "id", "type", "description", "semanticType"},
}

// tree reads the XML and refuses every element and attribute that is not in allowed.
func tree(file string, text []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	root := &element{}
	open := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := d.InputPos()
		if err != nil {
			return nil, at(file, line, "%v", err)
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, line: line, attrs: t.Attr}
			known, ok := allowed[e.name]
			if !ok {
				return nil, at(file, line, "<%s> is not supported", e.name)
			}
			for _, a := range e.attrs {
				if !slices.Contains(known, a.Name.Local) {
					return nil, at(file, line, "<%s>: attribute %s is not supported", e.name, a.Name.Local)
				}
			}
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.children) != 1 || root.children[0].name != "messageSchema" {
		return nil, at(file, 1, "expected one <messageSchema>")
	}
	return root.children[0], nil
}

// member is one part of a composite, or a plain type.
type member struct {
	name      string
	primitive Primitive
	length    int
	optional  bool
	constant  bool
	min, max  int
}

// reader is a schema on its way.
type reader struct {
	file       string
	schema     *Schema
	plain      map[string]member
	composites map[string][]member
	enums      map[string]*Enum
	sets       map[string]*Set
}

// Parse reads a schema. An error names file and line.
func Parse(file string, text []byte) (*Schema, error) {
	root, err := tree(file, text)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file, schema: &Schema{File: file, Package: root.attr("package"), Description: root.attr("description")},
		plain: map[string]member{}, composites: map[string][]member{}, enums: map[string]*Enum{}, sets: map[string]*Set{}}
	for p := range primitives {
		r.plain[primitives[p].name] = member{primitive: Primitive(p), length: 1}
	}
	if order := root.attr("byteOrder"); order != "" && order != "littleEndian" {
		return nil, at(file, root.line, "byteOrder %s is not supported, expected littleEndian", order)
	}
	if r.schema.ID, err = r.number(root, "id", 0); err != nil {
		return nil, err
	}
	if r.schema.Version, err = r.number(root, "version", 0); err != nil {
		return nil, err
	}
	for _, e := range root.children {
		if e.name == "types" {
			err = r.types(e)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.header(root); err != nil {
		return nil, err
	}
	for _, e := range root.children {
		if e.name != "message" {
			continue
		}
		if err := r.message(e); err != nil {
			return nil, err
		}
	}
	return r.schema, nil
}

// number is an attribute of 16 bits.
func (r *reader) number(e *element, name string, absent uint16) (uint16, error) {
	text := e.attr(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, at(r.file, e.line, "<%s>: %s is %q, expected 0 to 65535", e.name, name, text)
	}
	return uint16(n), nil
}

// header holds the message header to the four words of 16 bits that everything here relies on.
func (r *reader) header(root *element) error {
	name := root.attr("headerType")
	if name == "" {
		name = "messageHeader"
	}
	var words []string
	for _, m := range r.composites[name] {
		if m.primitive == Uint16 && m.length == 1 && !m.constant {
			words = append(words, m.name)
		}
	}
	if !slices.Equal(words, []string{"blockLength", "templateId", "schemaId", "version"}) {
		return at(r.file, root.line, "composite %s: expected blockLength, templateId, schemaId, version, uint16 each", name)
	}
	return nil
}

func (r *reader) types(types *element) (err error) {
	for _, e := range types.children {
		name := e.attr("name")
		_, plain := r.plain[name]
		_, composite := r.composites[name]
		if plain || composite || r.enums[name] != nil || r.sets[name] != nil {
			return at(r.file, e.line, "%s is there twice", name)
		}
		switch e.name {
		case "type":
			r.plain[name], err = r.member(e)
		case "composite":
			err = r.composite(e, name)
		case "enum":
			err = r.enum(e, name)
		case "set":
			err = r.set(e, name)
		default:
			err = at(r.file, e.line, "<%s> among <types>", e.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) member(e *element) (m member, err error) {
	primitive, ok := r.plain[e.attr("primitiveType")]
	if !ok || primitive.length != 1 {
		return m, at(r.file, e.line, "primitiveType %q is not supported", e.attr("primitiveType"))
	}
	m = member{name: e.attr("name"), primitive: primitive.primitive, length: 1, max: -1}
	switch presence := e.attr("presence"); presence {
	case "", "required":
	case "optional":
		m.optional = true
	case "constant":
		m.constant = true
	default:
		return m, at(r.file, e.line, "presence %q is not supported", presence)
	}
	if null := e.attr("nullValue"); null != "" {
		return m, at(r.file, e.line, "a nullValue of its own is not supported")
	}
	for _, bound := range []struct {
		name string
		to   *int
	}{{"length", &m.length}, {"minValue", &m.min}, {"maxValue", &m.max}} {
		if text := e.attr(bound.name); text != "" {
			if *bound.to, err = strconv.Atoi(text); err != nil || *bound.to < 0 {
				return m, at(r.file, e.line, "%s is %q, expected a whole number", bound.name, text)
			}
		}
	}
	return m, nil
}

func (r *reader) composite(e *element, name string) error {
	for _, child := range e.children {
		if child.name != "type" {
			return at(r.file, child.line, "<%s> in a composite is not supported", child.name)
		}
		m, err := r.member(child)
		if err != nil {
			return err
		}
		r.composites[name] = append(r.composites[name], m)
	}
	return nil
}

// encoding is the primitive of an enum or set: a primitive by name, or a plain type of one.
func (r *reader) encoding(e *element) (Primitive, error) {
	m, ok := r.plain[e.attr("encodingType")]
	if !ok || m.length != 1 || m.primitive.Signed() {
		return 0, at(r.file, e.line, "encodingType %q is not supported", e.attr("encodingType"))
	}
	return m.primitive, nil
}

func (r *reader) enum(e *element, name string) error {
	p, err := r.encoding(e)
	if err != nil {
		return err
	}
	values, err := r.values(e, "validValue", p)
	r.enums[name] = &Enum{Name: name, Description: e.attr("description"), Primitive: p, Values: values}
	r.schema.Enums = append(r.schema.Enums, r.enums[name])
	return err
}

func (r *reader) set(e *element, name string) error {
	p, err := r.encoding(e)
	if err != nil {
		return err
	}
	bits, err := r.values(e, "choice", Uint8)
	for _, b := range bits {
		if b.Number >= uint64(8*p.Size()) {
			return at(r.file, e.line, "set %s has no bit %d", name, b.Number)
		}
	}
	r.sets[name] = &Set{Name: name, Description: e.attr("description"), Primitive: p, Bits: bits}
	r.schema.Sets = append(r.schema.Sets, r.sets[name])
	return err
}

func (r *reader) values(e *element, kind string, p Primitive) (values []Value, err error) {
	for _, child := range e.children {
		v := Value{Name: child.attr("name"), Description: child.attr("description")}
		text := strings.TrimSpace(child.text)
		switch {
		case child.name != kind:
			return nil, at(r.file, child.line, "<%s> in <%s>", child.name, e.name)
		case p == Char && len(text) == 1:
			v.Number = uint64(text[0])
		case p == Char:
			err = strconv.ErrSyntax
		default:
			v.Number, err = strconv.ParseUint(text, 10, 8*p.Size())
		}
		if err != nil || p != Char && v.Number == p.Null() && kind == "validValue" {
			return nil, at(r.file, child.line, "value %q of %s does not fit %s", text, v.Name, p)
		}
		if slices.ContainsFunc(values, func(o Value) bool { return o.Number == v.Number || o.Name == v.Name }) {
			return nil, at(r.file, child.line, "%s of %s is there twice", v.Name, e.attr("name"))
		}
		values = append(values, v)
	}
	return values, nil
}

func (r *reader) message(e *element) (err error) {
	m := &Message{Schema: r.schema, Name: e.attr("name"), Description: e.attr("description"), Line: e.line}
	if m.ID, err = r.number(e, "id", 0); err != nil {
		return err
	}
	for _, o := range r.schema.Messages {
		if o.ID == m.ID || o.Name == m.Name {
			return at(r.file, e.line, "message %s, id %d, is there twice", m.Name, m.ID)
		}
	}
	r.schema.Messages = append(r.schema.Messages, m)
	rest := e.children
	if m.Fields, m.Block, rest, err = r.block(e, rest); err != nil {
		return err
	}
	for len(rest) > 0 && rest[0].name == "group" {
		g, err := r.group(rest[0])
		if err != nil {
			return err
		}
		m.Groups, rest = append(m.Groups, g), rest[1:]
	}
	for len(rest) > 0 && rest[0].name == "data" {
		d, err := r.data(rest[0])
		if err != nil {
			return err
		}
		m.Data, rest = append(m.Data, d), rest[1:]
	}
	if len(rest) > 0 {
		return at(r.file, rest[0].line, "<%s> out of order: fields, groups, data", rest[0].name)
	}
	return nil
}

// block lays out the leading fields of a message or group and returns what comes behind them.
func (r *reader) block(e *element, children []*element) (fields []Field, block int, rest []*element, err error) {
	for len(children) > 0 && children[0].name == "field" {
		child := children[0]
		children = children[1:]
		offset, err := r.number(child, "offset", uint16(block))
		if err != nil {
			return nil, 0, nil, err
		}
		if int(offset) < block {
			return nil, 0, nil, at(r.file, child.line, "%s begins at %d, inside the field before it, which ends at %d", child.attr("name"), offset, block)
		}
		more, err := r.field(child, int(offset))
		if err != nil {
			return nil, 0, nil, err
		}
		for i := range more {
			if n := len(fields); n > 0 && more[i].Since < fields[n-1].Since {
				return nil, 0, nil, at(r.file, child.line, "%s is older than the field before it: fields are added at the end", more[i].Name)
			}
			fields = append(fields, more[i])
			block = more[i].Offset + more[i].Size()
		}
	}
	stated, err := r.number(e, "blockLength", uint16(block))
	if err == nil && int(stated) < block {
		err = at(r.file, e.line, "%s: blockLength is %d, and its fields have %d bytes", e.attr("name"), stated, block)
	}
	return fields, int(stated), children, err
}

// field is one field, or one for each member of a composite.
func (r *reader) field(e *element, offset int) (fields []Field, err error) {
	f := Field{Name: e.attr("name"), Description: e.attr("description"), Offset: offset, Length: 1}
	if f.ID, err = r.number(e, "id", 0); err != nil {
		return nil, err
	}
	if f.Since, err = r.number(e, "sinceVersion", 0); err != nil {
		return nil, err
	}
	if f.Since > r.schema.Version {
		return nil, at(r.file, e.line, "%s: sinceVersion is %d, and the schema's version %d", f.Name, f.Since, r.schema.Version)
	}
	switch presence := e.attr("presence"); presence {
	case "", "required":
	case "optional":
		f.Optional = true
	default:
		return nil, at(r.file, e.line, "%s: presence %q is not supported", f.Name, presence)
	}
	name := e.attr("type")
	if m, ok := r.plain[name]; ok {
		if m.constant {
			return nil, at(r.file, e.line, "%s: a constant is not supported here", f.Name)
		}
		f.Primitive, f.Length, f.Optional = m.primitive, m.length, f.Optional || m.optional
		f.Reserved = strings.HasPrefix(name, "reserved")
		return []Field{f}, nil
	}
	if f.Enum = r.enums[name]; f.Enum != nil {
		f.Primitive = f.Enum.Primitive
		return []Field{f}, nil
	}
	if f.Set = r.sets[name]; f.Set != nil {
		f.Primitive = f.Set.Primitive
		return []Field{f}, nil
	}
	members, ok := r.composites[name]
	if !ok {
		return nil, at(r.file, e.line, "%s: there is no type %q", f.Name, name)
	}
	for _, m := range members {
		if m.constant {
			continue
		}
		part := f
		part.Name, part.Offset = f.Name+"."+m.name, offset
		part.Primitive, part.Length, part.Optional = m.primitive, m.length, f.Optional || m.optional
		offset += part.Size()
		fields = append(fields, part)
	}
	return fields, nil
}

func (r *reader) group(e *element) (g Group, err error) {
	g = Group{Name: e.attr("name")}
	if g.ID, err = r.number(e, "id", 0); err != nil {
		return g, err
	}
	name := e.attr("dimensionType")
	if name == "" {
		name = "groupSizeEncoding"
	}
	d := r.composites[name]
	if len(d) != 2 || d[0].name != "blockLength" || d[1].name != "numInGroup" || d[0].primitive != Uint16 || d[1].primitive != Uint16 {
		return g, at(r.file, e.line, "%s: dimensionType %q: expected blockLength and numInGroup, uint16 each", g.Name, name)
	}
	g.Min, g.Max = d[1].min, d[1].max
	if g.Max < 0 {
		g.Max = 1<<16 - 2
	}
	var rest []*element
	g.Fields, g.Block, rest, err = r.block(e, e.children)
	if err == nil && len(rest) > 0 {
		err = at(r.file, rest[0].line, "<%s> in a group is not supported", rest[0].name)
	}
	return g, err
}

func (r *reader) data(e *element) (d Data, err error) {
	d = Data{Name: e.attr("name"), Max: 1<<16 - 2}
	if d.ID, err = r.number(e, "id", 0); err != nil {
		return d, err
	}
	m := r.composites[e.attr("type")]
	if len(m) != 2 || m[0].name != "length" || m[1].name != "varData" || m[0].primitive != Uint16 || m[1].primitive.Size() != 1 {
		return d, at(r.file, e.line, "%s: type %q: expected length, uint16, and varData of bytes", d.Name, e.attr("type"))
	}
	if m[0].max >= 0 {
		d.Max = m[0].max
	}
	d.Text = m[1].primitive == Char
	return d, nil
}
