package audian

import (
	"bytes"
	"slices"
	"sync"
)

// A page of a list is mostly the page of the list before with other durations. pageReader decodes
// it by comparing it with that one. What it decodes is what readDocument and decodePage decode: they
// are the definition, and decode whatever differs in another way.
//
// That is so because
//   - up to the array of participants both documents are equal, so that the array has the same
//     place in both;
//   - each item is the text of an item that was decoded before, with other digits as its (last)
//     duration, or is decoded by decodeItem;
//   - the rest is decoded by readEnvelope and decodePage, of a document with an empty array.

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
	last       *lastPage
	room       int
	unexpected fieldReport
	// found are the items of a document that readDocument has decoded; nil if it could not.
	found *pageItems
}

// readDocument is a documentReader. The array in the envelope is empty: its items are in found.
func (r *pageReader) readDocument(body []byte) (document []byte, e envelope, ok bool) {
	r.found = nil
	document = withoutMark(body)
	if r.last == nil || len(r.last.items) == 0 || !bytes.HasPrefix(document, r.last.before) {
		return nil, envelope{}, false
	}
	last := *r.last
	*r.last = lastPage{}
	defer bodies.Put(last.body)
	begin := len(last.before) - 1
	scan := newItemScan(r, last, document)
	if !scan.items() {
		return nil, envelope{}, false
	}
	around := slices.Concat(document[:begin], []byte("[]"), document[scan.at:])
	e, ok = readEnvelope(around)
	if array, _ := findList(e); !ok || offset(around, array) != begin {
		return nil, envelope{}, false // Another array counts.
	}
	scan.found.array = document[begin:scan.at]
	r.found = &scan.found
	return document, e, true
}

// decodePage decodes the page that an envelope contains.
func (r *pageReader) decodePage(e envelope) (page, error) {
	p, err := decodePage(e, r.room, r.unexpected)
	if err == nil && r.found != nil {
		p.pageItems = *r.found
	}
	return p, err
}
