// Package spec reads scenario files: strict YAML, a unit on every quantity,
// parameters, expectations, and messages that say what is wrong where and what
// would be right.
//
// Load gives a Scenario or Errors, which lists every problem of the file in its
// order, each as "file:line:col: what is wrong (what would be right)". The
// package knows no model: a Registry brings the workload kinds, the stack
// profiles and settings, and the metrics.
//
// # Config structs
//
// A workload kind is a struct whose fields carry tags; the same tags make the
// loader, the JSON Schema (Schema) and the reference page (Reference).
//
//	type clients struct {
//		To       quantity.Address   `key:"to" required:"true" doc:"The server."`
//		Arrivals quantity.Arrivals  `key:"arrivals" required:"true" doc:"When connections are opened."`
//		Timeout  quantity.Duration  `key:"timeout" default:"3s" above:"0s" doc:"When the application gives up."`
//		Until    *quantity.Duration `key:"until" instant:"true" doc:"When it ends; without it, never."`
//	}
//
//	key       the key in the file; a field without it is not read
//	doc       what it means (needed)
//	required  "true" if there is no default
//	default   the value without the key, written as in a file
//	min, max  the bounds of a number or quantity; above excludes its own value
//	enum      the words allowed, with commas between
//	instant   "true" for a point of simulated time: a warning if after the end
//	example   what a message shows as right, where the type does not tell
//	item      what one element of a list is called, such as "a link"
//
// Types are those of package quantity and whatever else reads text, string,
// bool, whole numbers, float64, structs of such fields (also embedded ones),
// slices and arrays of them, and pointers, which stay nil without the key. A
// quantity.Host or quantity.Address must name a host that the file declares and
// that links reach from the host of the workload. A config may implement
// Validator for what relates its fields, Listener if others connect to it, and
// Provider if it brings what it connects to.
// A quantity.File is read while the scenario is loaded (Scenario.FileData), once
// for all its variants, and counts in its Digest by its content.
// Registry.Check, for a test, finds tags that make no sense.
//
// # Parameters
//
// $name stands for a whole scalar or for a word between blanks, and is replaced
// before units are read. In an expectation it stands wherever a value can; in
// title and description it is replaced where such a parameter exists. A default
// may be another parameter. $$ is a dollar sign. A message about a value that
// came from a parameter has the place of use and says where it came from. The
// values of a sweep are tried one by one while loading.
//
// # YAML
//
// One document, at most MaxBytes, without anchors, aliases and tags. The YAML
// library gives a line at best for a syntax error, so that the place is found as
// the end of the shortest start of the file that gives the same error. The
// library is imported in one file.
package spec
