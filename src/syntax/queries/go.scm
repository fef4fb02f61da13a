; Go. Capture names are described in query.rs.

; Definitions
(function_declaration) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: (_) @owner))) @function
(method_elem) @function
(type_spec type: (struct_type (field_declaration_list) @body)) @type
(type_spec type: (interface_type) @body) @type
(type_spec type: [(type_identifier) (qualified_type) (generic_type) (pointer_type) (slice_type) (array_type) (map_type)
                  (channel_type) (function_type) (parenthesized_type)]) @type
(type_alias) @alias
(const_spec name: (identifier) @name) @constant
(var_spec name: (identifier) @name) @constant
(type_declaration . [(type_spec) (type_alias)] @wrapped .) @wrapper
(const_declaration . (const_spec) @wrapped .) @wrapper
(var_declaration . (var_spec) @wrapped .) @wrapper

; Supertypes and fields
(type_spec type: (struct_type (field_declaration_list (field_declaration !name type: (_) @base))))
(type_spec type: (interface_type (type_elem . (_) @base .)))
(type_spec type: (struct_type (field_declaration_list (field_declaration name: (_) @name) @field)))

; What stands before a definition
(comment) @comment

; Calls
(call_expression function: (_) @callee) @call
; The grammar takes `f[T](x)` for a conversion; that many generic types are converted to is unlikely.
(type_conversion_expression type: (generic_type type: (_) @callee) operand: (_) @arguments) @call

; Locals
[(block) (func_literal) (for_statement) (if_statement) (expression_case) (type_case) (communication_case) (default_case)] @block
(parameter_declaration name: (identifier) @name) @bind
(variadic_parameter_declaration name: (identifier) @name) @pattern @bind
(short_var_declaration left: (expression_list (identifier) @name)) @bind
(assignment_statement left: (expression_list (identifier) @name)) @bind
(var_spec name: (identifier) @name) @bind
(const_spec name: (identifier) @name) @bind
(range_clause left: (expression_list (identifier) @name @bind))
(receive_statement left: (expression_list (identifier) @name @bind))
(type_switch_statement alias: (expression_list (identifier) @name @bind))

; Imports
(import_spec !name path: (_) @target) @import
(import_spec name: (_) @as path: (_) @target) @import
