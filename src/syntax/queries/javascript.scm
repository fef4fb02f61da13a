; JavaScript. Capture names are described in query.rs.

; Definitions
[(function_declaration) (generator_function_declaration)] @function
(class_declaration) @type
(class name: (_)) @type
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression) (generator_function)]) @function
(variable_declarator name: (identifier) @name value: (class)) @type
(field_definition property: (_) @name value: [(arrow_function) (function_expression)]) @function
(assignment_expression left: [(member_expression) (identifier)] @name right: [(arrow_function) (function_expression) (generator_function)]) @function
(variable_declarator value: (object (pair key: (_) @name value: [(arrow_function) (function_expression)]) @function))
(class_body (method_definition) @function)
((object (method_definition) @function) (#set! inside))
(assignment_expression right: (object (method_definition) @function))
(assignment_expression right: (object (pair key: (_) @name value: [(arrow_function) (function_expression)]) @function))
((export_statement value: [(arrow_function) (function_expression)] @function) (#set! name "default"))
((export_statement value: (class !name) @type) (#set! name "default"))
((export_statement value: (object) @constant) (#set! name "default"))
(program [(lexical_declaration (variable_declarator name: (identifier) @name) @constant)
          (variable_declaration (variable_declarator name: (identifier) @name) @constant)
          (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant))])

(export_statement declaration: (_) @wrapped) @wrapper
(export_statement value: (_) @wrapped) @wrapper
(lexical_declaration . (variable_declarator) @wrapped .) @wrapper
(variable_declaration . (variable_declarator) @wrapped .) @wrapper
(expression_statement (assignment_expression right: [(arrow_function) (function_expression) (generator_function)]) @wrapped) @wrapper

; Supertypes and fields
(class_heritage (_) @base)
(class_body (field_definition property: (_) @name value: (new_expression)) @field)
(method_definition body: (statement_block (expression_statement
  (assignment_expression left: (member_expression object: (this) property: (_) @name)) @field)))

; What stands before a definition
(comment) @comment

; Calls
(call_expression function: [(identifier) (member_expression) (parenthesized_expression)] @callee) @call
(new_expression constructor: (_) @callee) @call

; Locals
[(statement_block) (arrow_function) (function_expression) (for_statement) (for_in_statement) (catch_clause)] @block
(formal_parameters (identifier) @name @bind)
(formal_parameters [(object_pattern) (array_pattern) (rest_pattern)] @pattern @bind)
(formal_parameters (assignment_pattern left: (identifier) @name) @bind)
(arrow_function parameter: (identifier) @name @bind)
(variable_declarator name: (identifier) @name) @bind
(variable_declarator name: [(object_pattern) (array_pattern)] @pattern) @bind
(assignment_expression left: (identifier) @name) @bind
(for_in_statement left: (_) @pattern @bind right: (_) @value)
(catch_clause parameter: (_) @pattern @bind)

; Imports
((import_statement (import_clause (identifier) @as @import) source: (string) @target) (#set! name "default"))
(import_statement (import_clause (namespace_import (identifier) @as) @import) source: (string) @target)
(import_statement (import_clause (named_imports (import_specifier name: (_) @name !alias) @import)) source: (string) @target)
(import_statement (import_clause (named_imports (import_specifier name: (_) @name alias: (_) @as) @import)) source: (string) @target)
(import_statement . source: (string) @target) @import
((export_statement (export_clause (export_specifier name: (_) @name !alias) @import) source: (string) @target) (#set! reexport))
((export_statement (export_clause (export_specifier name: (_) @name alias: (_) @as) @import) source: (string) @target) (#set! reexport))
((export_statement (namespace_export (_) @as) @import source: (string) @target) (#set! reexport))
((export_statement "*" @glob source: (string) @target) @import (#set! reexport))
((variable_declarator name: (identifier) @as value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @target .))) @import
  (#eq? @_require "require"))
((variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @name @import)
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @target .)))
  (#eq? @_require "require"))
((variable_declarator name: (object_pattern (pair_pattern key: (_) @name value: (identifier) @as) @import)
  value: (call_expression function: (identifier) @_require arguments: (arguments . (string) @target .)))
  (#eq? @_require "require"))
((expression_statement (call_expression function: (identifier) @_require arguments: (arguments . (string) @target .))) @import
  (#eq? @_require "require"))
(call_expression function: (import) arguments: (arguments . (string) @target .)) @import
