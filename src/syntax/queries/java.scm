; Java. Capture names are described in query.rs.

; Definitions
(method_declaration type: (_) @return) @function
[(constructor_declaration) (compact_constructor_declaration)] @function
(annotation_type_element_declaration type: (_) @return) @function
[(class_declaration) (interface_declaration) (enum_declaration) (record_declaration) (annotation_type_declaration)] @type

; Supertypes and fields
(superclass (_) @base)
(super_interfaces (type_list (_) @base))
(extends_interfaces (type_list (_) @base))
(field_declaration type: (_) @typed declarator: (variable_declarator name: (_) @name)) @field
(constant_declaration type: (_) @typed declarator: (variable_declarator name: (_) @name)) @field
(record_declaration parameters: (formal_parameters (formal_parameter type: (_) @typed name: (_) @name) @field))

; What stands before a definition
[(line_comment) (block_comment)] @comment

; Calls
(method_invocation) @call
(object_creation_expression type: (_) @callee) @call
(explicit_constructor_invocation constructor: (_) @callee) @call

; Locals
[(block) (lambda_expression) (for_statement) (enhanced_for_statement) (catch_clause) (switch_block_statement_group) (try_with_resources_statement)] @block
(formal_parameter type: (_) @typed name: (_) @name) @bind
(spread_parameter (variable_declarator name: (_) @name)) @bind
(local_variable_declaration type: (_) @typed declarator: (variable_declarator name: (_) @name) @bind)
(enhanced_for_statement type: (_) @typed name: (_) @name) @bind
(resource type: (_) name: (_) @name) @bind
(catch_formal_parameter name: (_) @name) @bind
(lambda_expression parameters: (identifier) @name @bind)
(inferred_parameters (identifier) @name @bind)
(instanceof_expression right: (_) @typed name: (_) @name) @bind
(type_pattern (_) @typed (identifier) @name) @bind

; Imports
(import_declaration "static" (scoped_identifier scope: (_) @target name: (_) @name) . ";") @import
((import_declaration . [(scoped_identifier) (identifier)] @target . ";") @import
  (#not-match? @import "^import\\s+static"))
(import_declaration (scoped_identifier) @target (asterisk) @glob) @import
