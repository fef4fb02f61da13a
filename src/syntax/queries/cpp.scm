; C++. Capture names are described in query.rs.

; Definitions
(function_definition type: (_) @return declarator: (_) @declarator) @function
(function_definition !type declarator: (_) @declarator) @function
(namespace_definition name: (_)) @module
(class_specifier name: (_) body: (_)) @type
(struct_specifier name: (_) body: (_)) @type
(union_specifier name: (_) body: (_)) @type
(enum_specifier name: (_) body: (_)) @type
(concept_definition) @alias
(alias_declaration) @alias
(type_definition declarator: (_) @declarator) @alias
(declaration declarator: (init_declarator declarator: (_) @declarator value: (_) @body)) @constant
(translation_unit (declaration type: (_) declarator: [(identifier) (array_declarator)] @declarator) @constant
  (#not-match? @constant "^extern"))
(preproc_function_def) @macro
(preproc_def value: (_)) @constant
(template_declaration [(function_definition) (class_specifier) (struct_specifier) (union_specifier) (alias_declaration) (concept_definition) (template_declaration)] @wrapped) @wrapper

; Supertypes and fields
(base_class_clause [(type_identifier) (qualified_identifier) (template_type)] @base)
(class_specifier body: (field_declaration_list (field_declaration type: (_) @typed declarator: [(field_identifier) (pointer_declarator) (reference_declarator) (array_declarator)] @declarator) @field))
(struct_specifier body: (field_declaration_list (field_declaration type: (_) @typed declarator: [(field_identifier) (pointer_declarator) (reference_declarator) (array_declarator)] @declarator) @field))

; What stands before a definition
(comment) @comment

; Calls
(call_expression function: (_) @callee) @call
(new_expression type: (_) @callee) @call

; Locals
[(compound_statement) (for_statement) (for_range_loop) (lambda_expression) (catch_clause)] @block
(parameter_declaration type: (_) @typed declarator: (_) @declarator) @bind
(optional_parameter_declaration type: (_) @typed declarator: (_) @declarator) @bind
(variadic_parameter_declaration type: (_) @typed declarator: (_) @declarator) @bind
(declaration type: (_) @typed declarator: (init_declarator declarator: (_) @declarator value: (_) @value)) @bind
(declaration type: (_) @typed declarator: [(identifier) (pointer_declarator) (reference_declarator) (array_declarator)] @declarator) @bind
(for_range_loop type: (_) @typed declarator: (_) @declarator) @bind
(structured_binding_declarator) @pattern @bind

; Imports
(preproc_include path: [(string_literal) (system_lib_string)] @target) @import
