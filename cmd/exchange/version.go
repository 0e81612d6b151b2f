package main

import (
	"runtime"
	"runtime/debug"
)

// versionCommand is exchange version.
type versionCommand struct{}

func (v *versionCommand) examples() []string { return []string{"exchange version --json"} }

// build is what the linker wrote into the binary.
type build struct {
	Version  string `json:"version"` // of the module; (devel) outside a release
	Commit   string `json:"commit"`  // empty where the build knew none
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is the build in one line.
func (b build) String() string {
	text := b.Version
	if b.Commit != "" {
		text += ", commit " + b.Commit
	}
	if b.Modified {
		text += " with changes"
	}
	return text + ", " + b.Go + " on " + b.Platform
}

// Run prints the build.
func (v *versionCommand) Run(con *console) error {
	b := readBuild()
	if con.json {
		return con.printJSON(b)
	}
	con.printf("exchange %s\n", b.Version)
	if b.Commit != "" {
		con.printf("commit   %s", b.Commit)
		if b.Modified {
			con.printf(" with changes")
		}
		con.printf("\n")
	}
	con.printf("go       %s\nplatform %s\n", b.Go, b.Platform)
	return nil
}
