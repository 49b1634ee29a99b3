// Package leaks holds that the gateway gives away no secret and no phone number. It runs
// the program itself, uses it as a hostile caller before a hostile upstream would, and
// searches all that came out. It is all tests: this file is what a build sees.
package leaks
