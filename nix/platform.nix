# Which packages of npm are for a system, and which of them are left out.
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    filter
    listToAttrs
    map
    substring
    ;

  # What npm calls a system: process.platform, process.arch, and the C library that Nix's systems of Linux have.
  platforms = {
    x86_64-linux = {
      os = "linux";
      cpu = "x64";
      libc = "glibc";
    };
    aarch64-linux = {
      os = "linux";
      cpu = "arm64";
      libc = "glibc";
    };
    i686-linux = {
      os = "linux";
      cpu = "ia32";
      libc = "glibc";
    };
    armv7l-linux = {
      os = "linux";
      cpu = "arm";
      libc = "glibc";
    };
    x86_64-darwin = {
      os = "darwin";
      cpu = "x64";
      libc = null;
    };
    aarch64-darwin = {
      os = "darwin";
      cpu = "arm64";
      libc = null;
    };
  };

  platformOf =
    system:
    platforms.${system} or (throw ''
      nixgen: npm has no name for the system ${system}
        where: nix/nixgen/platform.nix, which has: ${toString (attrNames platforms)}
        what to do: build for one of these'');

  # As npm's `checkList` (npm-install-checks): none of those with "!", and one of the others where there are any.
  admits =
    value: list:
    let
      isNegative = entry: substring 0 1 entry == "!";
      wanted = filter (entry: !(isNegative entry)) list;
    in
    list == [ "any" ]
    || (
      !(elem "!${toString value}" list) && (wanted == [ ] || (value != null && elem value wanted))
    );

  fits =
    platform: package:
    (!(package ? os) || admits platform.os package.os)
    && (!(package ? cpu) || admits platform.cpu package.cpu)
    && (!(package ? libc) || (platform.libc != null && admits platform.libc package.libc));

  # As npm's `--omit`.
  isOmitted =
    omit: package:
    let
      without = kind: elem kind omit;
    in
    (without "dev" && package.dev or false)
    || (without "optional" && package.optional or false)
    || (without "dev" && without "optional" && package.devOptional or false)
    || (without "peer" && package.peer or false);
in
{
  # select :: { section, system, omit } -> [package]
  #
  # What of the lock's section is for a system: optional packages that do not fit are left out with what goes with them, and
  # what npm's --omit leaves out. Throws on a needed one that does not fit.
  select =
    {
      section,
      system,
      omit,
    }:
    let
      platform = platformOf system;
      unfit = filter (package: !(fits platform package)) section.packages;
      needed = filter (package: !(package.optional or package.devOptional or false)) unfit;
      set =
        places:
        listToAttrs (
          map (at: {
            name = at;
            value = true;
          }) places
        );
      # With the packages all of whose dependents have gone, until there are no more of these.
      closed =
        gone:
        let
          left = filter (
            package: package ? serves && !(gone ? ${package.at}) && all (at: gone ? ${at}) package.serves
          ) section.packages;
        in
        if left == [ ] then gone else closed (gone // set (map (package: package.at) left));
      gone = closed (set (concatMap (package: [ package.at ] ++ package.drops or [ ]) unfit));
    in
    if needed != [ ] then
      throw ''
        nixgen: the project needs packages that do not run on ${system}: ${
          toString (map (package: package.name) needed)
        }
          where: nixgen.lock, packages[].os, cpu and libc
          what to do: build for a system that they have, or make them optional (`npm install --save-optional`)''
    else
      filter (package: !(gone ? ${package.at}) && !(isOmitted omit package)) section.packages;
}
