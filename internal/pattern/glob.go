package pattern

import (
	"bytes"
	"fmt"
)

// glob is wildcard: pieces with any text between one and the next. A text
// without a wildcard is one piece.
type glob struct {
	pieces [][]byte
}

func (g *glob) holds(v value) bool {
	if v.kind != isString {
		return false
	}
	text, first, last := v.text, g.pieces[0], g.pieces[len(g.pieces)-1]
	if len(g.pieces) == 1 {
		return bytes.Equal(text, first)
	}
	if len(text) < len(first)+len(last) || !bytes.HasPrefix(text, first) || !bytes.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range g.pieces[1 : len(g.pieces)-1] {
		i := bytes.Index(text, piece)
		if i < 0 {
			return false
		}
		text = text[i+len(piece):]
	}
	return true
}

// newGlob reads the text of a wildcard. reason says what is wrong with it;
// positions in it count the opening quote.
func newGlob(text string) (g *glob, reason string) {
	var piece []byte
	g = &glob{}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*':
			if i+1 < len(text) && text[i+1] == '*' {
				return nil, fmt.Sprintf("Consecutive wildcard characters at pos %d", i+1)
			}
			g.pieces = append(g.pieces, piece)
			piece = nil
			continue
		case c != '\\':
		case i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '\\'):
			i++
		default:
			return nil, fmt.Sprintf("Invalid escape character at pos %d", i+1)
		}
		piece = append(piece, text[i])
	}
	g.pieces = append(g.pieces, piece)
	return g, ""
}
