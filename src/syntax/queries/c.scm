; C. Capture names are described in query.rs.

; Definitions
(function_definition type: (_) @return declarator: (_) @declarator) @function
(struct_specifier name: (_) body: (_)) @type
(union_specifier name: (_) body: (_)) @type
(enum_specifier name: (_) body: (_)) @type
(type_definition declarator: (_) @declarator) @alias
(declaration declarator: (init_declarator declarator: (_) @declarator value: (_) @body)) @constant
(translation_unit (declaration type: (_) declarator: [(identifier) (array_declarator)] @declarator) @constant
  (#not-match? @constant "^extern"))
(preproc_function_def) @macro
(preproc_def value: (_)) @constant

; Fields
(struct_specifier name: (_) body: (field_declaration_list (field_declaration type: (_) @typed declarator: (_) @declarator) @field))
(union_specifier name: (_) body: (field_declaration_list (field_declaration type: (_) @typed declarator: (_) @declarator) @field))
(type_definition type: (_ !name body: (field_declaration_list (field_declaration type: (_) @typed declarator: (_) @declarator) @field)))

; What stands before a definition
(comment) @comment

; Calls
(call_expression function: (_) @callee) @call

; Locals
[(compound_statement) (for_statement)] @block
(parameter_declaration type: (_) @typed declarator: (_) @declarator) @bind
(declaration type: (_) @typed declarator: (init_declarator declarator: (_) @declarator value: (_) @value)) @bind
(declaration type: (_) @typed declarator: [(identifier) (pointer_declarator) (array_declarator)] @declarator) @bind

; Imports
(preproc_include path: [(string_literal) (system_lib_string)] @target) @import
