// A judge of the record whose signatures and trees are checked by golang.org/x/mod, which nobody here wrote.
//
// It reads a JSON list of cases on stdin and writes a list of as many answers. An answer says whether the case
// was accepted, and the digest of what was read of it: two files with the same digest said the same.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type Case struct {
	Kind      string // note, inclusion, consistency, receipt, bundle or tiles
	Key       string // the log's public key as text
	File      []byte // a signed note, a receipt or a bundle
	Leaf      []byte
	Index     int64
	Size, Old int64
	Root      []byte
	OldRoot   []byte
	Proof     [][]byte
	Folder    string            // the log as files, checkpoint and tile/...
	Instead   map[string][]byte // files that stand in the place of those in the folder
	Indexes   []int64           // whose inclusion proofs to make from the tiles
	Pairs     [][2]int64        // whose consistency proofs to make from the tiles: older, newer
}

type Answer struct {
	Accepted bool
	Why      string
	Read     []byte        `json:",omitempty"`
	Proofs   [][]tlog.Hash `json:",omitempty"`
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	answers := make([]Answer, len(cases))
	for i := range cases {
		read := sha256.New()
		proofs, err := judge(&cases[i], func(parts ...interface{}) { fmt.Fprintf(read, "%q\n", parts) })
		answers[i] = Answer{Accepted: err == nil, Read: read.Sum(nil), Proofs: proofs}
		if err != nil {
			answers[i].Why = err.Error()
		}
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}

// told is given everything that was read of a case, so that accepted cases can be compared.
type told func(parts ...interface{})

func judge(c *Case, tell told) ([][]tlog.Hash, error) {
	switch c.Kind {
	case "note":
		_, err := tree(c.File, c.Key, tell)
		return nil, err
	case "inclusion":
		return nil, included(c.Leaf, c.Index, c.Size, c.Root, c.Proof)
	case "consistency":
		older, err1 := hash(c.OldRoot)
		newer, err2 := hash(c.Root)
		path, err3 := hashes(c.Proof)
		if err := first(err1, err2, err3); err != nil {
			return nil, err
		}
		return nil, tlog.CheckTree(path, c.Size, newer, c.Old, older)
	case "receipt":
		return nil, receipt(c, tell)
	case "bundle":
		return nil, bundle(c, tell)
	case "tiles":
		return tiles(c, tell)
	}
	return nil, fmt.Errorf("no such kind of case: %q", c.Kind)
}

// tree opens a checkpoint that the key has signed, of the log whose name the key has.
func tree(signed []byte, key string, tell told) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	for _, signature := range opened.Sigs {
		data, _ := base64.StdEncoding.DecodeString(signature.Base64)
		tell(data)
	}
	tell(opened.Text)
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != key[:strings.Index(key, "+")] {
		return tlog.Tree{}, errors.New("the checkpoint is of another log")
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func included(leaf []byte, index, size int64, root []byte, proof [][]byte) error {
	top, err1 := hash(root)
	path, err2 := hashes(proof)
	if err := first(err1, err2); err != nil {
		return err
	}
	return tlog.CheckRecord(path, size, top, index, tlog.RecordHash(leaf))
}

// entry is what a receipt's extra line and an entry of a bundle have in common.
type entry struct {
	Commitments map[string][]byte
	Parts       map[string]json.RawMessage
}

// leaf returns the data of the leaf, after every disclosed part has opened its commitment. A file in canonical form
// holds each part in canonical form, so its bytes are hashed as they stand there.
func (e *entry) leaf(tell told) ([]byte, error) {
	data := "heyi-leaf/v1\n"
	for _, name := range []string{"header", "public", "private"} {
		if len(e.Commitments[name]) != sha256.Size || e.Parts[name] == nil {
			return nil, errors.New("not three commitments and three parts")
		}
		data += base64.StdEncoding.EncodeToString(e.Commitments[name]) + "\n"
		raw := string(e.Parts[name])
		if raw == `"withheld"` || raw == `"erased"` {
			tell(raw)
			continue
		}
		var part struct {
			Salt  []byte
			Value json.RawMessage
		}
		if err := json.Unmarshal(e.Parts[name], &part); err != nil {
			return nil, err
		}
		opened := sha256.Sum256([]byte("heyi:" + name + ":v1\x00" + string(part.Salt) + string(part.Value)))
		if !bytes.Equal(opened[:], e.Commitments[name]) {
			return nil, fmt.Errorf("the %s part does not open its commitment", name)
		}
		tell(part.Salt, string(part.Value))
	}
	tell(data)
	return []byte(data), nil
}

func receipt(c *Case, tell told) error {
	head, checkpoint, split := strings.Cut(string(c.File), "\n\n")
	lines := strings.Split(head, "\n")
	if !split || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		return errors.New("not a receipt")
	}
	extra, err := base64.StdEncoding.DecodeString(lines[1][len("extra "):])
	if err != nil {
		return err
	}
	var said struct {
		Format, Key string
		entry
	}
	if err := strictly(extra, &said); err != nil {
		return err
	}
	if said.Format != "heyi-receipt/v1" || said.Key != c.Key {
		return errors.New("another format or key")
	}
	leaf, err := said.leaf(tell)
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil || lines[2] != fmt.Sprintf("index %d", index) {
		return errors.New("no index")
	}
	var proof [][]byte
	for _, line := range lines[3:] {
		node, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		proof = append(proof, node)
	}
	top, err := tree([]byte(checkpoint), c.Key, tell)
	if err != nil {
		return err
	}
	tell(index, proof, top)
	return included(leaf, index, top.N, top.Hash[:], proof)
}

func bundle(c *Case, tell told) error {
	var said struct {
		Audience, Case, Checkpoint, Format, Key, Length string
		Entries                                         []struct {
			entry
			Index int64
			Proof [][]byte
		}
	}
	if err := strictly(c.File, &said); err != nil {
		return err
	}
	top, err := tree([]byte(said.Checkpoint), c.Key, tell)
	if err != nil {
		return err
	}
	tell(said.Audience, said.Case, said.Format, said.Key, said.Length, top)
	for _, one := range said.Entries {
		leaf, err := one.leaf(tell)
		if err != nil {
			return err
		}
		tell(one.Index, one.Proof)
		if err := included(leaf, one.Index, top.N, top.Hash[:], one.Proof); err != nil {
			return err
		}
	}
	return nil
}

// strictly reads one JSON value with no other fields than the target has.
func strictly(data []byte, target interface{}) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}

// files reads tiles at the paths of C2SP tlog-tiles: those of package tlog without the height.
type files struct{ c *Case }

func (f files) Height() int { return 8 }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, err := f.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (f files) read(path string) ([]byte, error) {
	if data, ok := f.c.Instead[path]; ok {
		return data, nil
	}
	return os.ReadFile(filepath.Join(f.c.Folder, filepath.FromSlash(path)))
}

// entries reads the leaves of a bundle of entries: each behind its length in two bytes.
func (f files) entries(number int64, width int) ([][]byte, error) {
	path := tlog.Tile{H: 8, L: -1, N: number, W: width}.Path()
	data, err := f.read(strings.Replace(path, "tile/8/data/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("a bundle of entries is cut off")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		leaves, data = append(leaves, data[2:end]), data[end:]
	}
	if len(leaves) != width {
		return nil, errors.New("a bundle of entries has another number of entries")
	}
	return leaves, nil
}

// tiles rebuilds the root from the tiles, holds every entry against it, and makes the proofs that were asked for.
func tiles(c *Case, tell told) ([][]tlog.Hash, error) {
	reader := files{c}
	checkpoint, err := reader.read("checkpoint")
	if err != nil {
		return nil, err
	}
	top, err := tree(checkpoint, c.Key, tell)
	if err != nil {
		return nil, err
	}
	source := tlog.TileHashReader(top, reader)
	var anew stored
	root, err := tlog.TreeHash(top.N, source)
	if err != nil || root != top.Hash {
		return nil, fmt.Errorf("the tiles do not give the root: %v", err)
	}
	for start := int64(0); start < top.N; start += 256 {
		if err := held(reader, source, &anew, start, int(min(256, top.N-start))); err != nil {
			return nil, err
		}
	}
	if root, err = tlog.TreeHash(top.N, anew); err != nil || root != top.Hash {
		return nil, fmt.Errorf("the entries do not give the root: %v", err)
	}
	return proofs(c, top, source)
}

// stored holds the hashes of a tree that is built from its entries.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = s[index]
	}
	return found, nil
}

// held compares a bundle of entries with the hashes in the tiles, and adds it to the tree that is built anew: x/mod 0.7
// does not hold every tile that it reads against the root.
func held(reader files, source tlog.HashReader, anew *stored, start int64, width int) error {
	leaves, err := reader.entries(start/256, width)
	if err != nil {
		return err
	}
	at := make([]int64, width)
	for i := range at {
		at[i] = tlog.StoredHashIndex(0, start+int64(i))
	}
	found, err := source.ReadHashes(at)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if tlog.RecordHash(leaf) != found[i] {
			return fmt.Errorf("entry %d is not the one in the tree", start+int64(i))
		}
		more, err := tlog.StoredHashes(start+int64(i), leaf, *anew)
		if err != nil {
			return err
		}
		*anew = append(*anew, more...)
	}
	return nil
}

func proofs(c *Case, top tlog.Tree, source tlog.HashReader) ([][]tlog.Hash, error) {
	var made [][]tlog.Hash
	for _, index := range c.Indexes {
		proof, err := tlog.ProveRecord(top.N, index, source)
		if err != nil {
			return nil, err
		}
		made = append(made, proof)
	}
	for _, pair := range c.Pairs {
		proof, err := tlog.ProveTree(pair[1], pair[0], source)
		if err != nil {
			return nil, err
		}
		made = append(made, proof)
	}
	return made, nil
}

func hash(data []byte) (made tlog.Hash, err error) {
	if len(data) != tlog.HashSize {
		return made, errors.New("not a hash")
	}
	copy(made[:], data)
	return made, nil
}

func hashes(data [][]byte) ([]tlog.Hash, error) {
	made := make([]tlog.Hash, len(data))
	for i := range data {
		one, err := hash(data[i])
		if err != nil {
			return nil, err
		}
		made[i] = one
	}
	return made, nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
