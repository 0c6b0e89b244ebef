"""Scripts are read as bash reads them: their commands' words are compared with those of bash itself."""

import os
import shutil
import subprocess

import pytest

from npuninja.errors import UserError
from npuninja.porting.scripts import commands_of_scripts, find_scripts
from npuninja.porting.shell.paths import ForeignPaths
from npuninja.porting.shell.walk import walk_script

#: Name -> a script that calls `show`.
SCRIPTS = {
    "quotes": """show 'a b' "c d" e\\ f "it's" $'x\\ty' "a\\"b" a"b"'c' "" '$HOME' \\$X "$'q'" """,
    "variables": """A="x y"; B=$A; C=${A}z; show $A "$A" "${B}" $C pre$A"post" ${NONE} "${NONE}" """,
    "defaults": """show ${N:-4} "${M-a b}" ${K:=7} $K ${A:+set} "${K:+is $K}"; A=; show "${A-x}" "${A:-y}" """,
    "quotes in defaults": """A=; show ${A:-'b}c'} "${A:-"d e"}" "$(echo "f ${A:-"g )"}" ")")" ${A:-`echo "i'j"`}""",
    "patterns": """F=dir.d/name.tar.gz
show ${F%.*} ${F%%.*} ${F#*/} ${F##*/} ${F/name/new} ${F//./_} ${#F} ${F:4:3} ${F: -2}""",
    "case of letters": """A=Mixed; show ${A^^} ${A,,} ${A^} ${A,}""",
    "arrays": """L=(a "b c" d); L+=(e); show "${L[@]}" "${#L[@]}" "${L[1]}" ${L[*]}; E=(); show x "${E[@]}" y ${L[-1]}""",
    "arrays over lines": "L=(\n  -I/a  # one\n  -DX=1\n)\nshow \"${L[@]}\"",
    "arrays by names": """declare -A M=([one]=1 [two]="2 2"); M[three]=3; show "${M[one]}" "${M[two]}" ${M[three]}""",
    "arguments": """set -- a "b c" d; show "$@" $# "$2"; shift; show "$1" "$*"; for x; do show $x; done""",
    "braces": """show {a,b}c x{1..3} {5..1..2} a{b} "{a,b}" {} X{,y}""",
    "arithmetic": """N=4; ((N++))
show $((N * 3 - 1)) $((1<<4|1)) $((N>3 && N<9)) $((7/2)) $((-7 / 2)) $((0x10)) $(( (N+1) % 4 ))""",
    "if": """A=x; if [ "$A" = x ] && [ -z "$B" ]; then show yes; elif true; then show elif; else show no; fi""",
    "not": """if ! [ 3 -gt 4 ]; then show a; fi; if [ ! "x" == "y" -a 2 -le 2 ]; then show b; fi; ! false && show c""",
    "double brackets": """A=npu2; if [[ $A == npu* && ! ( $A == *1 || -z $A ) ]]; then show a; fi
[[ $A =~ ^npu[0-9]$ ]] && show b; [[ "$A" == "npu*" ]] || show c""",
    "for": """for n in 1 2 "3 4"; do for m in a b; do [ $m = b ] && continue 2; show $n $m; done; done""",
    "counting": """for ((i = 0; i < 3; i++)); do show $i; done; i=0; while [ $i -lt 2 ]; do show w$i
i=$((i + 1)); done; until [ $i -eq 0 ]; do ((i--)); done; show $i""",
    "break": """for n in 1 2 3; do if [ $n = 2 ]; then break; fi; show $n; done; show end""",
    "case": """for d in npu npu2 other; do case "$d" in npu|npu1) show one ;; npu2) show two;; *) show "not $d"; esac; done""",
    "functions": """build() { local name=$1; shift; show "$name" "$@" $#; return 0; }
function other { build o "$@"; }; build a b c; other "x y" && show $?""",
    "failing functions": """check() { [ "$1" = ok ] || return 1; }; check ok && show a; check no || show b
if check no; then show c; else show d; fi""",
    "substitution": """A=$(echo "a   b")
show $A "$A" `echo c` "$(dirname /x/y/z)" $(basename a/b.cc .cc) "$(printf '%s-%d' q 3)" """,
    "nested substitution": """show "$(basename "$(dirname "/a/b c/d")")" $(f() { echo "$1"; }; f "in"; )""",
    "output of functions": """find_it() { for p in a b; do if [ $p = b ]; then echo "$p"; return 0; fi; done
return 1; }; if ! X=$(find_it); then show none; fi; show "$X" """,
    "pipes": """show $(echo "A_B" | tr A-Z a-z | cut -d _ -f 2); N=$(echo x/y | xargs dirname 2>/dev/null || echo no)""",
    "subshells": """A=1; (A=2; show $A); show $A; { A=3; }; show $A""",
    "lists": """true && show a || show b; false && show c || show d; false || { show e; show f; }; true; false; show $?""",
    "lines": """show a \\
    b \\
      c  # a remark
# show no
show d;show e # show f
""",
    "here documents": """cat > /dev/null <<EOF
show inside $HOME
EOF
show after
X=$(cat <<'END'
a $B
END
)
show "$X"
""",
    "here strings": """X=$(cat <<< "a b"); show $X""",
    "redirections": """show a > /dev/null 2>&1; show b 2>/dev/null; show c 1>&2 2>&1; show d &>/dev/null; show e""",
    "environment": """A=1 show x; B="2 3" C=4 show "$B" y""",
    "eval": """CMD="show a 'b c'"; eval "$CMD"; eval show '$CMD'""",
    "names": """A=B; B=c; show ${!A}; readonly R=1; export E="x y"; declare -r D=3; show $R "$E" $D; unset A; show "[$A]" """,
    "source": """. ./other.inc; show $FROM_OTHER; source other.inc two; show $FROM_OTHER""",
    "other scripts": """./other.sh a b; bash other.sh c; V=1 ./other.sh; export V=2; ./other.sh""",
    "tests of files": """[ -f other.sh ] && show a; [ -d . ] && show b; [ -e missing ] || show c
[ -x other.sh ] && show d; test -s other.sh && show e""",
    "globs": """show *.inc other.*; show "*.inc" none*.x; for f in other.*; do show "$f"; done""",
    "colour": """RED='\\033[0;31m'; log() { echo -e "${RED}$1"; }; log "hello"; show a""",
    "options": """set -- -a -b 3 -cx rest
while getopts ":ab:cx" o; do show $o "$OPTARG"; done; shift $((OPTIND - 1)); show "$@" """,
    "exit": """show a; if [ -f missing ]; then show never; fi; exit 0; show b""",
    "printf": """printf -v X '%s/%s' a b; show $X; show "$(printf '%s+' a b)" """,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "other.inc").write_text("FROM_OTHER=${1:-one}\nshow included\n")
    (folder / "other.sh").write_text('#!/bin/bash\nshow other "$@" $V\n')
    (folder / "other.sh").chmod(0o755)
    (folder / "show").write_text(
        '#!/bin/sh\nfor w; do printf "<%s>" "$w"; done >> "$SHOWN"; echo >> "$SHOWN"\n'
    )
    (folder / "show").chmod(0o755)
    return folder


def walked(folder, text, **environment):
    walk = walk_script(str(folder / "build.sh"), [], environment, ForeignPaths(str(folder)), text)
    return walk, [c.words for c in walk.commands if c.words[0] == "show"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("name", SCRIPTS)
def test_words_are_those_of_bash(folder, tmp_path, name):
    script, shown = tmp_path / "script.sh", tmp_path / "shown"
    script.write_text(SCRIPTS[name])
    shown.write_text("")
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "SHOWN": str(shown), "HOME": "/home/somebody"}
    done = subprocess.run(
        ["bash", str(script)], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert not done.stderr, done.stderr
    walk, words = walked(folder, SCRIPTS[name], HOME="/home/somebody")
    assert ["".join(f"<{word}>" for word in line[1:]) for line in words] == shown.read_text().splitlines()
    assert words
    assert not walk.stopped


FOREIGN = """#!/bin/bash
set -e
export PEANO_INSTALL_DIR=/home/somebody/venv/lib/python3.13/site-packages/llvm-aie
export PYTHONPATH=/home/somebody/venv/site-packages/aie:$PYTHONPATH
if [ ! -f "$PEANO_INSTALL_DIR/bin/clang" ]; then echo "no clang"; exit 1; fi
if ! command -v aiecc.py &> /dev/null; then exit 1; fi
WORK_DIR=/home/somebody/project/kernels
BUILD_DIR=$WORK_DIR/build
mkdir -p $BUILD_DIR
cd $WORK_DIR
$PEANO_INSTALL_DIR/bin/clang -O2 --target=aie2-none-unknown-elf -I/home/somebody/aie/include -c scale.c -o $BUILD_DIR/scale.o
echo "compiled: $(stat -c%s $BUILD_DIR/scale.o) bytes"
SIZE=$(stat -c%s $BUILD_DIR/scale.o)
if [ $SIZE -lt 10 ]; then echo "too small"; exit 1; fi
cp scale.mlir $BUILD_DIR/
cd $BUILD_DIR
time /home/somebody/venv/bin/aiecc.py --aie-generate-xclbin --aie-generate-npu-insts --no-compile-host \\
    --xclbin-name=scale.xclbin --npu-insts-name=insts.bin scale.mlir 2>&1 | tee compilation.log
if [ -f "$BUILD_DIR/scale.xclbin" ]; then ls -lh scale.xclbin; else exit 1; fi
cd $WORK_DIR
python3 gen.py | tee build/printed.mlir
"""


def test_a_script_of_another_machine(tmp_path):
    folder = tmp_path / "project" / "kernels"
    folder.mkdir(parents=True)
    for name in ("scale.c", "scale.mlir", "gen.py"):
        (folder / name).write_text("")
    (folder / "build.sh").write_text(FOREIGN)
    (folder / "a_check.sh").write_text("show x\n")
    assert find_scripts(str(folder)) == ["build.sh", "a_check.sh"]
    found = commands_of_scripts(str(folder), ["build.sh"], {}, {"HOME": "/nowhere"})
    commands = {os.path.basename(c.words[0]): c for c in found.commands}
    assert commands["clang"].folder == str(folder)
    assert str(folder / "build" / "scale.o") in commands["clang"].words
    aiecc = commands["aiecc.py"]
    assert aiecc.folder == str(folder / "build")
    assert aiecc.words[-1] == "scale.mlir"
    assert aiecc.alone
    assert commands["python3"].stdout == str(folder / "build" / "printed.mlir")
    assert not any(c.environment for c in found.commands)
    assert found.notes == ("build.sh:14 is taken to be false", "/home/somebody/project is taken for ..")


def test_the_nearer_of_two_folders_of_another_machine(tmp_path):
    """`/tmp/iron` is the folder above; `/tmp/iron/fusion`, said later, is nearer: the folder itself."""
    folder = tmp_path / "iron" / "designs" / "fusion"
    folder.mkdir(parents=True)
    (folder / "fused.py").write_text("")
    text = (
        "source /away/iron/env.sh\n"
        "HERE=/away/iron/fusion\n"
        "cd $HERE && python3 $HERE/fused.py > build/aie.mlir\n"
    )
    places = ForeignPaths(str(folder))
    walk = walk_script(str(folder / "build.sh"), [], {}, places, text)
    (command,) = walk.commands
    assert (command.folder, command.words[1]) == (str(folder), str(folder / "fused.py"))


def test_what_a_script_exports_is_the_environment_of_its_commands(tmp_path):
    (tmp_path / "lib").mkdir()
    text = "export PYTHONPATH=lib:/away/aie:$PYTHONPATH SIZE=4 TOOL=/away/bin/x; N=1 python3 test.py\n"
    walk, _ = walked(tmp_path, text, PYTHONPATH="/away/too")
    assert dict(walk.commands[0].environment) == {"PYTHONPATH": str(tmp_path / "lib"), "SIZE": "4", "N": "1"}


def test_a_script_that_ends_itself_says_where(folder):
    walk, words = walked(
        folder, 'show a\nif [ ! -f kernel.o ]; then\n  echo "Build kernel.o first"\n  exit 1\nfi\nshow b\n'
    )
    assert words == [("show", "a")]
    assert walk.stopped == "build.sh:4 ends it: Build kernel.o first"
    (folder / "old.o").write_text("")
    walk, words = walked(
        folder, "if [ ! -f old.o ]; then show -o old.o; fi\nif [ ! -f old.o ]; then exit 1; fi\n"
    )
    assert words == [("show", "-o", "old.o")]  # what an earlier build has left decides nothing
    walk, words = walked(folder, "show -o kernel.o\nif [ ! -f kernel.o ]; then exit 1; fi\nshow b\n")
    assert words == [("show", "-o", "kernel.o"), ("show", "b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('show "a\n', 'build.sh:1: a " is missing'),
        ("if true; then\n  show a\n", "build.sh:3: 'fi' is expected, not ''"),
        ("show a\n)\n", "build.sh:2: ')' is where no command can begin"),
        (
            "while true; do show a; done\n",
            "build.sh:1: only a run shows the end of this loop",
        ),
    ],
)
def test_what_is_no_script_is_refused_with_its_line(folder, text, message):
    with pytest.raises(UserError) as caught:
        walked(folder, text)
    assert caught.value.message == message


README = """# A design
Run:

    some text

```bash
$ python3 design.py -d npu > build/aie.mlir
output that is shown
$ cd build && aiecc --xclbin-name=final.xclbin aie.mlir
```
```python
import aie
```
```sh
sudo apt install cmake
```
```
no prompt
```
"""


def test_the_commands_of_a_readme(tmp_path):
    (tmp_path / "README.md").write_text(README)
    assert find_scripts(str(tmp_path)) == ["README.md"]
    found = commands_of_scripts(str(tmp_path), ["README.md"], {}, {})
    assert [(c.words[0], c.folder) for c in found.commands] == [
        ("python3", str(tmp_path)),
        ("aiecc", str(tmp_path / "build")),
    ]
    assert found.commands[0].stdout == str(tmp_path / "build" / "aie.mlir")
