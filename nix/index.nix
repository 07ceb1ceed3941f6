# A wheel's index: what the wheel holds. A leaf like any other, whose hash stands in the lock and binds every file.
{ leaf }:
let
  inherit (builtins)
    fromJSON
    hashFile
    pathExists
    readFile
    ;

  # The only format this library knows; builders/index.py writes it.
  format = 1;

  # A file that is to be a wheel's index; where it is another, Nix would only name two store paths.
  check =
    {
      lock,
      filename,
      file,
      where,
    }:
    if hashFile "sha256" file == lock.wheels.${filename}.index then
      file
    else
      throw ''
        nixgen: the wheel ${filename} does not have the index that the lock names
          where: ${where}
          what to do: ${
            if lock.wheels.${filename} ? source then
              "run `nixgen build`, which names the files that were built otherwise"
            else
              "run `nixgen lock --verify`, which compares every file of every wheel"
          }'';
in
{
  inherit check;

  # readIndex :: { lock, filename : string, source : path } -> { path, distInfo, dataDir ?, scripts ?, files }
  #
  # The index of a wheel, with `path`, its leaf. It is taken from nix/index beside the lock (`nixgen lock --vendor`) where
  # it is there; else the store has it, or `source` is it.
  readIndex =
    {
      lock,
      filename,
      source,
    }:
    let
      vendored = lock.directory + "/nix/index/${filename}.json";
      isVendored = pathExists vendored;
      from =
        if isVendored then
          check {
            inherit lock filename;
            file = vendored;
            where = "nix/index/${filename}.json";
          }
        else
          source;
      path = leaf.leaf {
        file = "index.json";
        sha256 = lock.wheels.${filename}.index;
        source = from;
      };
      # What is vendored is read where it lies: evaluation may be one that writes nothing to the store.
      index = fromJSON (readFile (if isVendored then from else path));
      found = index.index or null;
    in
    if found != format then
      throw ''
        nixgen: the index of ${filename} has format ${toString found}, and this copy of the Nix library reads format ${toString format}
          where: ${toString path}
          what to do: run `nixgen lock`, which writes all anew''
    else
      index // { inherit path; };
}
