# What moduleit makes of a module, as far as a module here can tell. The real one needs the module system of nixpkgs, which
# is out of reach of tests: this stands in for it. It loads files, functions and imports, merges definitions, refuses
# options that there are not and values of another type, fills in defaults, and writes the JSON.
{
  pkgs ? import <nixpkgs> { },
  configPath,
  deployment ? false,
}:
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    concatStringsSep
    filter
    head
    isAttrs
    isBool
    isFunction
    isList
    isString
    length
    mapAttrs
    removeAttrs
    tail
    toJSON
    zipAttrsWith
    ;

  arguments = {
    inherit pkgs;
    inherit (pkgs) lib;
    modulesPath = toString ./.;
  };

  # A module and those that it imports, as a list of definitions.
  load =
    module:
    if isFunction module then
      load (module arguments)
    else if isAttrs module then
      [ (removeAttrs module [ "imports" ]) ] ++ concatMap load (module.imports or [ ])
    else
      load (import module);

  isSet = value: isAttrs value && !(value ? outPath);
  merge =
    path: values:
    if length values == 1 then
      head values
    else if all isSet values then
      zipAttrsWith (name: merge "${path}.${name}") values
    else if all isList values then
      concatLists values
    else if all (value: value == head values) (tail values) then
      head values
    else
      throw "The option `${path}' has conflicting definition values";

  # A type is a function of a path and a list of at most one value, and returns what the option then is.
  type =
    word: check: path: values:
    if values == [ ] then
      throw "The option `${path}' is used but not defined"
    else if check (head values) then
      head values
    else
      throw "A definition for option `${path}' is not of type `${word}'";
  default =
    value: given: path: values:
    if values == [ ] then value else given path values;
  string = type "string" isString;
  bool = type "boolean" isBool;
  list = default [ ] (type "list of string" (value: isList value && all isString value));
  packages = default [ ] (type "list of package" (value: isList value && all (one: one ? outPath) value));
  each =
    given:
    default { } (
      path: values: mapAttrs (name: value: given "${path}.${name}" [ value ]) (type "attribute set" isSet path values)
    );
  options =
    known: path: values:
    let
      set = if values == [ ] then { } else type "attribute set" isSet path values;
      unknown = filter (name: !(known ? ${name})) (attrNames set);
    in
    if unknown != [ ] then
      throw "The option `${path}.${head unknown}' does not exist"
    else
      mapAttrs (name: given: given "${path}.${name}" (if set ? ${name} then [ set.${name} ] else [ ])) known;

  command =
    path: values:
    if values != [ ] && isString (head values) then
      head values
    else
      options {
        args = type "list of string" (value: isList value && all isString value);
        env = each string;
      } path values;
  named = {
    name = string;
    displayVersion = default "" string;
    language = string;
  };
  files = {
    extensions = list;
    files = list;
    filePattern = default "" string;
  };
  # Kinds of tools that no module here has.
  none = default { } (type "empty attribute set" (value: value == { }));

  part = {
    inherit packages;
    env = each string;
    initializers = each (options {
      name = string;
      start = command;
      runOnce = default true bool;
    });
    runners = each (
      options (
        named
        // files
        // {
          start = command;
          compile = default null command;
          fileParam = default false bool;
          interpreter = default false bool;
          prompt = default "" string;
          productionOverride = default null none;
          defaultEntrypoints = list;
        }
      )
    );
    packagers = each (
      options (
        named
        // {
          ignoredPackages = list;
          ignoredPaths = list;
          env = each string;
          afterInstall = default null command;
          features = options {
            packageSearch = bool;
            guessImports = bool;
            enabledForHosting = bool;
          };
        }
      )
    );
    debuggers = none;
    formatters = none;
    languageServers = none;
  };

  config = options {
    id = string;
    name = string;
    displayVersion = default "" string;
    description = default "" string;
    internal = default false bool;
    demoted = default false bool;
    replit = options (part // { dev = options part; });
  } "module" [ (merge "module" (load configPath)) ];

  both = name: config.replit.${name} // (if deployment then { } else config.replit.dev.${name});
  path = concatStringsSep ":" (
    map (package: "${package}/bin") (config.replit.packages ++ (if deployment then [ ] else config.replit.dev.packages))
  );
  env = both "env";
  tools = [
    "initializers"
    "runners"
    "packagers"
    "debuggers"
    "formatters"
    "languageServers"
  ];
in
pkgs.writeText "replit-${if deployment then "deployment-" else ""}module-${config.id}" (
  toJSON (
    removeAttrs config [ "replit" ]
    // {
      env = env // {
        PATH = if env ? PATH then "${env.PATH}:${path}" else path;
      };
    }
    // builtins.listToAttrs (
      map (name: {
        inherit name;
        value = both name;
      }) tools
    )
  )
)
