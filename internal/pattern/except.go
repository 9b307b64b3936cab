package pattern

const reasonExcept = "Value of anything-but must be an array or single string/number value."

// except reads what comes after "anything-but", and the end of its object.
func (p *parser) except() test {
	e := &except{}
	e.values.compare = p.grammar.numbers
	switch p.next() {
	case tokenString:
		e.values.addText(p.text())
	case tokenNumber:
		e.values.addNumber(p.text())
	case tokenArray:
		p.exceptList(e)
	case tokenObject:
		switch {
		case p.grammar.exceptEnds:
			p.exceptOperator(e)
			return e
		case p.grammar.exceptText:
			p.exceptPrefix(e)
			return e
		}
		fallthrough
	default:
		p.fail(reasonExcept)
	}
	p.end(reasonTooMany)
	return e
}

// exceptList reads the values of a list.
func (p *parser) exceptList(e *except) {
	p.inList = true
	for {
		switch p.next() {
		case tokenString:
			e.values.addText(p.text())
			continue
		case tokenNumber:
			e.values.addNumber(p.text())
			continue
		case tokenArrayEnd:
		default:
			p.fail("Inside anything but list, start|null|boolean is not supported.")
		}
		break
	}
	p.inList = false
	if (len(e.values.texts) > 0) == (len(e.values.numbers) > 0) {
		p.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
}

// exceptPrefix reads the one operator that filter policies know here.
func (p *parser) exceptPrefix(e *except) {
	if p.next() != tokenName {
		p.fail("Anything-But expression name not found")
	}
	if p.name != "prefix" {
		p.fail("Unsupported anything-but pattern: " + p.name)
	}
	text := p.operand("prefix")
	if text == "" {
		p.fail("Null prefix not allowed")
	}
	e.tests = append(e.tests, prefix{text: text})
	p.end(reasonOneKey)
	p.end(reasonOneKey)
}

// exceptOperator reads an operator with one string or a list of them.
func (p *parser) exceptOperator(e *except) {
	if p.next() != tokenName {
		p.fail("Anything-But expression name not found")
	}
	name := p.name
	switch name {
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
	default:
		p.fail("Unsupported anything-but pattern: " + name)
	}
	switch p.next() {
	case tokenString:
		p.exceptTexts(e, name, p.exceptText(name))
	case tokenNumber:
		p.fail(exceptTypeReason(name))
	case tokenArray:
		p.exceptTexts(e, name, p.exceptTextList(name)...)
	default:
		p.fail(reasonExcept)
	}
	p.end(reasonTooMany)
	p.end(reasonTooMany)
}

func (p *parser) exceptTextList(name string) (texts []string) {
	p.inList = true
	defer func() { p.inList = false }()
	for {
		switch p.next() {
		case tokenString:
			texts = append(texts, p.exceptText(name))
		case tokenArrayEnd:
			return texts
		default:
			p.fail(exceptTypeReason(name))
			return nil
		}
	}
}

// exceptText reads one operand of an operator.
func (p *parser) exceptText(name string) string {
	text := p.text()
	if text == "" && (name == "prefix" || name == "suffix") {
		p.fail("Null prefix/suffix not allowed")
	}
	return text
}

// exceptTexts adds an operator with each of its operands.
func (p *parser) exceptTexts(e *except, name string, texts ...string) {
	for _, text := range texts {
		switch name {
		case "prefix", "suffix":
			e.tests = append(e.tests, newAffix(name, text, false))
		case "equals-ignore-case":
			e.tests = append(e.tests, equalFold(text))
		case "wildcard":
			e.tests = append(e.tests, p.glob(text))
		}
	}
}

func exceptTypeReason(name string) string {
	switch name {
	case "equals-ignore-case":
		return "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
	case "wildcard":
		return "wildcard match pattern must be a string"
	}
	return "prefix/suffix match pattern must be a string"
}
