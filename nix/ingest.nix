# How leaves get into the store. Every way gives the same leaves, and so the same derivations.
{ run, wheel }:
let
  inherit (builtins)
    listToAttrs
    map
    pathExists
    readFile
    seq
    unsafeDiscardStringContext
    ;

  # A build that does nothing. It fails where the sandbox hides the machine's own Python, and then its name is in Nix's
  # message, the only text of ours that is.
  visible =
    { system, interpreter }:
    run.run {
      name = "see-${baseNameOf interpreter.path}-of-this-machine--if-a-sandbox-hides-it-use-nixpkgs-or--option-sandbox-false";
      builder = "nothing";
      inherit system interpreter;
      allowSubstitutes = false;
    };

  # All wheels at once: what is built here is built in parallel, where evaluation would take them one by one.
  gate =
    {
      unpacked,
      system,
      interpreter,
    }:
    run.run {
      name = "unpacked-wheels";
      builder = "nothing";
      inherit system interpreter;
      attributes = {
        inherit unpacked;
      };
      allowSubstitutes = false;
    };

  ways = {
    # From the unpacked wheels: nothing but Nix is needed.
    wheels =
      {
        lock,
        filenames,
        system,
        interpreter,
      }:
      let
        unpack =
          filename:
          wheel.unpackWheel {
            inherit filename system interpreter;
            wheel = wheel.fetchWheel { inherit lock filename; };
          };
        unpacked = listToAttrs (
          map (filename: {
            name = filename;
            value = unpack filename;
          }) filenames
        );
        all = gate {
          inherit system interpreter;
          unpacked = map (filename: unpacked.${filename}) filenames;
        };
        checked = if interpreter.machine then readFile (visible { inherit system interpreter; }) else "";
      in
      filename:
      let
        # Without its context, for Nix would look for the build again at every leaf: 0.7 s where 0.15 s do. A leaf is
        # taken at once, and `pathExists` has seen to the build and, in pure evaluation, to the right to read it.
        root = unsafeDiscardStringContext unpacked.${filename}.outPath;
        there = pathExists "${unpacked.${filename}}";
      in
      # Forced once for each wheel; Nix remembers them.
      seq checked (seq (readFile all) (seq there (name: "${root}/${name}")));

    # From the store alone: `nixgen build` has put the leaves there. A missing one makes Nix look for a file that is not
    # what it should be, and its message names that file.
    store = _: _: _: ./run-nixgen-fetch;
  };
in
{
  # sources :: string -> { lock, filenames, system, interpreter } -> (filename -> member -> path)
  #
  # Where to take a member of a wheel from when the store lacks its leaf, by the name of the way.
  sources =
    way:
    ways.${way} or (throw ''
      nixgen: there is no ingest named ${way}
        where: the argument `ingest`
        what to do: choose "wheels" or "store"'');
}
