; Python. Capture names are described in query.rs.

; Definitions
(function_definition) @function
(class_definition) @type
(type_alias_statement left: (type) @name) @alias
(module (expression_statement (assignment left: (identifier) @name) @constant))
(decorated_definition definition: (_) @wrapped) @decorated

; Supertypes and fields
(class_definition superclasses: (argument_list [(identifier) (attribute) (subscript)] @base))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name type: (_)) @field)))
(function_definition body: (block (expression_statement
  (assignment left: (attribute object: (identifier) @_self attribute: (identifier) @name)) @field))
  (#eq? @_self "self"))

; Documentation
(comment) @comment
(module . (comment)* . (expression_statement . (string) @docstring .))
(class_definition body: (block . (comment)* . (expression_statement . (string) @docstring .)))
(function_definition body: (block . (comment)* . (expression_statement . (string) @docstring .)))

; Calls
(call function: (_) @callee) @call

; Locals
[(lambda) (list_comprehension) (set_comprehension) (dictionary_comprehension) (generator_expression)] @block
(parameters (identifier) @name @bind)
(lambda_parameters (identifier) @name @bind)
(default_parameter name: (identifier) @name) @bind
(typed_parameter . (identifier) @name) @bind
(typed_default_parameter name: (identifier) @name) @bind
[(list_splat_pattern) (dictionary_splat_pattern)] @pattern @bind
(assignment left: (identifier) @name) @bind
(assignment left: [(pattern_list) (tuple_pattern) (list_pattern)] @pattern) @bind
(named_expression name: (identifier) @name) @bind
(for_statement left: (_) @pattern) @bind
((for_in_clause left: (_) @pattern @bind) (#set! early))
(with_item value: (as_pattern (_) @value alias: (as_pattern_target (identifier) @name))) @bind
(except_clause value: (as_pattern alias: (as_pattern_target (identifier) @name))) @bind

; Imports
(import_statement name: (dotted_name) @target @import)
(import_statement name: (aliased_import name: (_) @target alias: (_) @as) @import)
(import_from_statement module_name: (_) @target name: (dotted_name) @name @import)
(import_from_statement module_name: (_) @target name: (aliased_import name: (_) @name alias: (_) @as) @import)
(import_from_statement module_name: (_) @target (wildcard_import) @glob) @import
(future_import_statement "__future__" @target name: (dotted_name) @name @import)
