# Names that others chose: what a store path can carry of them, and how they reach a builder.
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    isString
    map
    split
    stringLength
    substring
    ;
in
{
  # storeName :: string -> string
  #
  # What a store path cannot carry (the "!" of a version's epoch, letters outside ASCII) becomes "-".
  #
  #   storeName "demo-1!2.0" => "demo-1-2.0"
  storeName =
    name:
    let
      allowed = concatStringsSep "-" (filter isString (split "[^A-Za-z0-9+._?=-]+" name));
      # No leading dot (Nix refuses it), and room for ".drv" and the hash within 255 bytes.
      safe = if substring 0 1 allowed == "." then "_${allowed}" else allowed;
    in
    if stringLength safe > 160 then substring 0 160 safe else safe;

  # pairs :: { <name> : value } -> [ [name value] ]
  #
  # toJSON takes a set with an attribute "outPath" or "__toString" for something else; a list it leaves alone.
  #
  #   pairs { outPath = "demo:main"; } => [ [ "outPath" "demo:main" ] ]
  pairs =
    set:
    map (name: [
      name
      set.${name}
    ]) (attrNames set);
}
