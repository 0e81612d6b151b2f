package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/lockstep-exchange/lockstep/wire/schema"
)

// W-74: what is in the tree is what the generator writes.
func TestFilesAreGenerated(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, book))
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(schema.All(), page)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(schema.Files)+4 {
		t.Fatalf("%d files are generated, want %d", len(files), len(schema.Files)+4)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is stale, run go generate ./wire (-want +got):\n%s", name, diff)
		}
	}
}

const head = `<messageSchema package="a.b" id="9" version="2" byteOrder="littleEndian"><types>
<composite name="messageHeader"><type name="blockLength" primitiveType="uint16"/><type name="templateId" primitiveType="uint16"/><type name="schemaId" primitiveType="uint16"/><type name="version" primitiveType="uint16"/></composite>
<composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint16"/><type name="numInGroup" primitiveType="uint16"/></composite>
</types>
`

// A field that a version brought makes the shape depend on the version.
func TestShapesFollowVersions(t *testing.T) {
	s, err := schema.Parse("grown.xml", []byte(head+`<message name="Grown" id="1">
<field name="a" id="1" type="uint64"/><field name="b" id="2" type="uint64" sinceVersion="1"/><field name="c" id="3" type="uint64" sinceVersion="2"/>
</message></messageSchema>`))
	if err != nil {
		t.Fatal(err)
	}
	code, err := shapes([]*schema.Schema{s})
	if err != nil {
		t.Fatal(err)
	}
	want := `		if version <= 0 {
			return Shape{Block: 8}, true
		}
		if version <= 1 {
			return Shape{Block: 16}, true
		}
		return Shape{Block: 24}, true
`
	if !strings.Contains(string(code), want) {
		t.Errorf("got\n%s\nwant in it\n%s", code, want)
	}
}

// What has no codec is refused with file and line.
func TestTwoGroupsAreRefused(t *testing.T) {
	s, err := schema.Parse("two.xml", []byte(head+`<message name="Two" id="1">
<group name="x" id="1"><field name="a" id="2" type="uint8"/></group><group name="y" id="3"><field name="a" id="4" type="uint8"/></group>
</message></messageSchema>`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec(s, map[string]string{}); err == nil || err.Error() != "two.xml:5: message Two: more than one group or data is not supported" {
		t.Errorf("err = %v", err)
	}
}
