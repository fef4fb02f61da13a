; Rust. Capture names are described in query.rs.

; Definitions
(function_item) @function
(function_signature_item) @function
[(struct_item) (enum_item) (union_item) (trait_item)] @type
(type_item) @alias
(mod_item body: (_)) @module
[(const_item) (static_item)] @constant
(macro_definition name: (_) . (macro_rule) @body) @macro
(impl_item) @scope

; Supertypes and fields
(trait_item bounds: (trait_bounds [(type_identifier) (scoped_type_identifier) (generic_type)] @base))
(struct_item body: (field_declaration_list (field_declaration) @field))
(union_item body: (field_declaration_list (field_declaration) @field))
(struct_item body: (ordered_field_declaration_list type: (_) @typed @field))

; What stands before a definition
[(line_comment) (block_comment)] @comment
(attribute_item) @attribute

; Calls
(call_expression function: (_) @callee) @call
(macro_invocation macro: (_) @callee) @expansion
(macro_invocation (token_tree) @tokens)
(macro_rule right: (token_tree) @tokens)

; Locals
[(block) (closure_expression) (match_arm) (for_expression) (if_expression) (while_expression)] @block
(parameter pattern: (identifier) @name) @bind
(parameter pattern: [(tuple_pattern) (tuple_struct_pattern) (struct_pattern) (ref_pattern) (reference_pattern) (slice_pattern)] @pattern) @bind
(closure_parameters (identifier) @name @bind)
(closure_parameters [(tuple_pattern) (tuple_struct_pattern) (struct_pattern) (ref_pattern) (reference_pattern) (slice_pattern) (mut_pattern)] @pattern @bind)
(let_declaration pattern: (identifier) @name) @bind
(let_declaration pattern: [(tuple_pattern) (tuple_struct_pattern) (struct_pattern) (ref_pattern) (reference_pattern) (slice_pattern) (or_pattern)] @pattern) @bind
(let_condition pattern: (_) @pattern) @bind
(for_expression pattern: (_) @pattern @bind value: (_) @value)
(match_pattern (_) @pattern) @bind

; Imports
[(use_declaration) (extern_crate_declaration)] @use
