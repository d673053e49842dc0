"""The programs that serve files in a host: its own sftp-server or scp, or else a loop in `sh`.

Every one first prints a line that says which of them it is, whether the path that scp asks for is a
folder, and where relative paths begin. The loop answers one request a line, with the rights of the
account that the login has: what a path means is decided by the host's own kernel, never by us. It
needs `sh` and what coreutils and busybox both have.
"""

import re
from dataclasses import dataclass

BLOCK = 256 * 1024  # bytes read or written at a time
_FIRST_LINE = re.compile(rb"poligon-files (own|sh) (folder|-) (/.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLine:
    """Who serves, what scp's path is, and the folder where relative paths begin."""

    is_hosts_own: bool
    is_folder: bool
    start: str


def first_line(line: bytes) -> FirstLine | None:
    """Return what a program said first, or None when none of them says that."""
    found = _FIRST_LINE.fullmatch(line)
    if not found:
        return None
    who, folder, start = found.groups()
    return FirstLine(
        is_hosts_own=who == b"own",
        is_folder=folder == b"folder",
        start=start.decode(errors="backslashreplace"),
    )


def _says(who: str) -> str:
    return f"""printf 'poligon-files {who} %s %s\\n' "${{folder:--}}" "$PWD\""""


_SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server "  # Debian, Ubuntu
    "/usr/libexec/openssh/sftp-server "  # Fedora
    "/usr/lib/ssh/sftp-server "  # Alpine, Arch
    "/usr/libexec/sftp-server"  # built from source
)

OWN_SFTP = f"""
folder=
for server in {_SFTP_SERVERS}; do
  if [ -x "$server" ]; then {_says("own")}; exec "$server"; fi
done
"""

OWN_SCP = f"""
folder=
[ ! -d "$4" ] || folder=folder
if command -v scp >/dev/null; then
  {_says("own")}
  exec "$SHELL" -c "$command"
fi
"""

# Requests: a word, then words in which all but harmless bytes are `\\0` and three octal digits.
# Answers: text without `.` and `!`, then a line of `.`, or of `!` and an errno's name. What may be
# any bytes is in base64. No program but `dd` of a write may have the requests as its stdin.
SERVE = (
    f"""
missing=
for tool in base64 cat chmod dd ln mkdir mv readlink rm rmdir stat touch; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
dd iflag=fullblock count=0 </dev/null 2>/dev/null || missing="$missing dd-with-iflag=fullblock"
if [ -n "$missing" ]; then
  echo "This host has no program of its own for that, nor what could stand in for it:$missing" >&2
  echo 'Send a file with: ssh ... "cat > NAME" < FILE' >&2
  exit 127
fi
{_says("sh")}
export LC_ALL=C
form='%f %s %u %g %X %Y'
"""
    r"""
plain() {
  case $1 in
    *\\*) plain=$(printf '%b_' "$1"); plain=${plain%_} ;;
    *) plain=$1 ;;
  esac
}
refuse() { echo "$1" >&2; return 1; }
why() {
  case $1 in
    *'No such file or directory' | *'No such file' | *nonexistent) echo '!ENOENT' ;;
    *'Permission denied') echo '!EACCES' ;;
    *'Operation not permitted') echo '!EPERM' ;;
    *'File exists' | *'existing file') echo '!EEXIST' ;;
    *'Not a directory') echo '!ENOTDIR' ;;
    *'Is a directory') echo '!EISDIR' ;;
    *'not empty') echo '!ENOTEMPTY' ;;
    *'No space left on device') echo '!ENOSPC' ;;
    *'quota exceeded' | *'Quota exceeded') echo '!EDQUOT' ;;
    *'Read-only file system') echo '!EROFS' ;;
    *'levels of symbolic links' | *'Symbolic link loop') echo '!ELOOP' ;;
    *'name too long') echo '!ENAMETOOLONG' ;;
    *'Invalid argument') echo '!EINVAL' ;;
    *) echo '!EIO' ;;
  esac
}
try() { if said=$("$@" 2>&1 </dev/null); then echo .; else why "$said"; fi; }
tell() { if said=$("$@" 2>&1 </dev/null); then printf '%s\n.\n' "$said"; else why "$said"; fi; }
there() { [ -e "$1" ] || refuse 'No such file or directory'; }
taken() { [ -e "$1" ] || [ -L "$1" ]; }
opening() {
  [ ! -d "$1" ] || refuse 'Is a directory' || return
  old=
  [ ! -e "$1" ] || old=yes
  case $2 in
    *c*) ;;
    *) there "$1" || return ;;
  esac
  case $2 in
    *x*) (set -C; : >"$1") || return ;;
    *t*) (: >"$1") || return ;;
    *w*) (: >>"$1") || return ;;
  esac
  [ -n "$old" ] || [ "$3" = - ] || chmod "$3" "$1" || return
  case $2 in
    *r*) (: <"$1") || return ;;
  esac
}
put() {
  if [ "$2" = end ]; then
    cat >>"$1"
  else
    { dd bs=1 seek="$2" count=0 conv=notrunc 2>/dev/null && cat; } 1<>"$1"
  fi
}
listable() {
  [ -e "$1" ] || stat -L "$1" >/dev/null || return
  [ -d "$1" ] || refuse 'Not a directory' || return
  { cd "$1" && [ -r . ]; } 2>/dev/null || refuse 'Permission denied'
}
listing() {
  cd "$1" || return
  set -- * .[!.]* ..?*
  printf '%s/' "$@"
  echo /
  next=1
  while [ $next -le $# ]; do
    batch= end=$((next + 400))
    while [ $next -lt $end ] && [ $next -le $# ]; do
      batch="$batch \"\${$next}\"" next=$((next + 1))
    done
    eval "stat -c '$form %n' -- $batch" 2>/dev/null
  done
}
move() {
  [ "$3" = over ] || ! taken "$2" || refuse 'File exists' || return
  [ ! -d "$2" ] || refuse 'Is a directory' || return
  mv -f "$1" "$2"
}
link() { ! taken "$3" || refuse 'File exists' || return; ln $1 -- "$2" "$3"; }
set_size() { there "$1" && truncate -c -s "$2" "$1"; }
set_times() { there "$1" && touch -c -a -d "@$2" "$1" && touch -c -m -d "@$3" "$1"; }
while read -r request first second third; do
  plain "$first" && path=$plain
  case $request in
    stat) tell stat -L -c "$form" "$path" ;;
    lstat) tell stat -c "$form" "$path" ;;
    real) readlink -f "$path" </dev/null 2>/dev/null | base64; echo . ;;
    readlink) readlink "$path" </dev/null 2>/dev/null | base64; echo . ;;
    list)
      if said=$(listable "$path" 2>&1); then
        listing "$path" </dev/null | base64; echo .
      else
        why "$said"
      fi ;;
    mkdir) try mkdir -m "$second" "$path" ;;
    rmdir) try rmdir "$path" ;;
    remove) try rm "$path" ;;
    move) plain "$second"; try move "$path" "$plain" "$third" ;;
    symlink) plain "$second"; try link -s "$path" "$plain" ;;
    hardlink) plain "$second"; try link "" "$path" "$plain" ;;
    chmod) try chmod "$second" "$path" ;;
    chown) try chown "$second" "$path" ;;
    times) try set_times "$path" "$second" "$third" ;;
    size) try set_size "$path" "$second" ;;
    open) try opening "$path" "$second" "$third" ;;
"""
    f"""
    read)
      {{
        dd if="$path" bs={BLOCK} skip="$second" count=1 iflag=fullblock </dev/null 2>/dev/null &&
          printf k
      }} | base64
      echo . ;;
"""
    r"""
    write)
      if said=$(dd bs="$third" count=1 iflag=fullblock 2>/dev/null | put "$path" "$second" 2>&1)
      then echo .; else why "$said"; fi ;;
    *) echo '!EINVAL' ;;
  esac
done
"""
)
