package scenarios

import (
	"bytes"
	"os"
	"testing"

	"tcplab/scenarios/spec"
	"tcplab/tcpmodel"
)

// REFERENCE.md is the reference of the language as it is.
func TestReferencePage(t *testing.T) {
	page, err := os.ReadFile("REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := spec.Reference(Registry()); !bytes.Equal(page, want) {
		t.Error("REFERENCE.md is not what the language is: make it again with go generate ./scenarios")
	}
}

// A scenario can have the defaults of all profiles as the reference writes them.
func TestDefaultsCanBeWritten(t *testing.T) {
	for _, profile := range tcpmodel.ProfileNames() {
		config, err := tcpmodel.Profile(profile)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range tcpmodel.Knobs() {
			again := config
			if value, err := knob(k).Parse(k.Value(&config)); err != nil {
				t.Errorf("%s: %v", profile, err)
			} else if err := setKnob(&k, &again, value); err != nil || again != config {
				t.Errorf("%s: %s is not %s when it is set to that: %v", profile, k.Name, k.Value(&config), err)
			}
		}
	}
}
