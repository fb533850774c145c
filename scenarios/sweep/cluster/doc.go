// Package cluster runs a sweep as jobs of a batch system. An Engine submits the
// tasks of a batch and says what has become of them; Run does the rest, and knows
// nothing of the engine.
//
// Tasks write to the directory of the sweep, on a file system that all nodes
// have, each into chunks of its own (package sweep): there is nothing that they
// would have to agree on. The program that submits is copied there, too, so that
// all nodes run the same one, whatever is built meanwhile.
//
// What counts is what is in the store, and not what the engine says: when the
// tasks of a batch have ended, what is missing is submitted again as the next
// batch, as long as each batch gets something done. A task that was requeued,
// after its node failed or others were preferred, finds what it had finished. One
// that reaches its time limit is told before, and ends with everything finished
// kept. Only if somebody cancels tasks nothing is submitted again.
package cluster
