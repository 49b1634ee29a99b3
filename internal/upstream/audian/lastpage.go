package audian

import (
	"bytes"
	"slices"
	"sync"
)

// A page of a list is mostly the page of the list before with other durations. pageReader decodes
// it item by item, by comparing it with that one if there is one. What it decodes is what
// readDocument and decodePage decode: they are the definition, and decode whatever pageReader cannot.
//
// That is so because
//   - the array is the one that counts: in the document with "[]" in its place, findList finds that;
//   - each item is the text of an item that was decoded before, with other digits as its (last)
//     duration, or is decoded by decodeItem, or by cursor.item, which decodes what both can read
//     alike;
//   - the rest is decoded by readEnvelope and decodePage, of the document with the empty array.

// lastPage is a page of the last list: its items, with the document before the first of them. The
// next page that is compared with it takes its memory. Then it is the zero lastPage, which is like
// no page.
type lastPage struct {
	pageItems

	// before ends with the bracket with which the array begins.
	before []byte
	// body contains before and the array.
	body *bytes.Buffer
}

// bodies has buffers of bodies that were compared: the next ones are mostly as long.
var bodies sync.Pool

// newLastPage returns a page that was decoded from a document. Its ids are distinct.
func newLastPage(p page, document []byte, body *bytes.Buffer) *lastPage {
	if len(p.items) == 0 {
		return nil
	}
	return &lastPage{pageItems: p.pageItems, before: document[:offset(document, p.array)+1], body: body}
}

// pageReader decodes a page.
type pageReader struct {
	// last is the page of the list before; it may be nil.
	last *lastPage
	// room is how many more items the list may have.
	room       int
	unexpected fieldReport
	// found are the items of a document that readPage has decoded; nil if it could not.
	found *pageItems
}

// readPage is a documentReader. The array in the envelope is empty: its items are in found.
func (r *pageReader) readPage(body []byte) (document []byte, e envelope, ok bool) {
	r.found = nil
	document = withoutMark(body)
	last, begin := r.takeLast(document)
	if last.body != nil {
		defer bodies.Put(last.body)
	}
	if begin < 0 {
		return nil, envelope{}, false
	}
	scan := newItemScan(r, last, document, begin)
	defer scan.release()
	if !scan.items() {
		return nil, envelope{}, false
	}
	around := slices.Concat(document[:begin], []byte("[]"), document[scan.at:])
	e, ok = readEnvelope(around)
	if array, _ := findList(e); !ok || offset(around, array) != begin {
		return nil, envelope{}, false // Another array counts.
	}
	found := scan.found
	found.array = document[begin:scan.at]
	r.found = &found
	return document, e, true
}

// takeLast returns the last page if a document is like it, else the zero lastPage, and where the
// array of participants probably begins, or -1.
func (r *pageReader) takeLast(document []byte) (last lastPage, begin int) {
	if r.last == nil || len(r.last.items) == 0 || !bytes.HasPrefix(document, r.last.before) {
		return lastPage{}, bytes.IndexByte(document, '[')
	}
	last, *r.last = *r.last, lastPage{}
	return last, len(last.before) - 1
}

// decodePage decodes the page that an envelope contains.
func (r *pageReader) decodePage(e envelope) (page, error) {
	p, err := decodePage(e, r.room, r.unexpected)
	if err == nil && r.found != nil {
		p.pageItems = *r.found
	}
	return p, err
}
