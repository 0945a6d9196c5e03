package rules

import "github.com/expr-lang/expr/ast"

// operator is that of a part that stands between two others; empty for any other.
func (o *operand) operator() string {
	if n, ok := o.node.(*ast.BinaryNode); ok {
		return n.Operator
	}
	return ""
}

// isName tells whether a part is the name of a let.
func (o *operand) isName() bool {
	_, ok := o.node.(*ast.IdentifierNode)
	return ok && o.fact == nil
}
