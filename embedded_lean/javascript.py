"""Edits of the engine's JavaScript glue, `lean.js`.

The published file is 89 MB, nearly all of it assignments of 201,110 exports to variables that
nothing reads; every one of Lean's threads parses it.  `trim` drops those, and `EDITS` changes the
rest in a few places.  Each edit is an exact replacement that must match exactly as often as it
states; otherwise nothing is produced, and `PatchError` names the edit.

The inserted texts are readable JavaScript, in the folder `js` next to this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files

from bridge.engine.errors import PatchError
from embedded_lean.edit import NOT_KNOWN, Edit

__all__ = ["PatchedGlue", "patch_glue"]

_FILE = "lean.js"
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_EXPORTS_START = "var _main,_lean_main,"
_EXPORTS_END = "}var wasmImports;function assignWasmImports()"
_ASSIGN_FUNCTION = "function assignWasmExports(wasmExports){"
_ASSIGN_TABLE = (
    '__indirect_function_table=Module["__indirect_function_table"]=wasmTable='
    'wasmExports["__indirect_function_table"];'
)
_ASSIGNMENT = re.compile(
    r'([A-Za-z_$][\w$]*)=Module\["([^"]*)"\]=wasmExports\["([^"]*)"\](\.value)?;?'
)
_LIBRARY_ANCHOR = "var LDSO={"


@dataclass(frozen=True, slots=True)
class PatchedGlue:
    """The patched file, and the names that it (or the untouched rest of it) mentions.

    `mentioned` decides which exports of the WebAssembly module have to stay; see
    `wasm.trim_module`.
    """

    text: str
    mentioned: frozenset[str]


def _direct(name: str, args: str, index: int, call: str) -> Edit[str]:
    """Let system call `name` try `leanDirectIO` before it goes to the main thread."""
    head = f"function {name}({args}){{if(ENVIRONMENT_IS_PTHREAD)"
    proxy = f"return proxyToMainThread({index},0,1,{args});"
    body = f"{{var direct=leanDirectIO.{call};if(direct!==undefined)return direct;{proxy}}}"
    return Edit(f"{name}: answered in the thread where possible", head + proxy, head + body)


EDITS: tuple[Edit[str], ...] = (
    Edit(
        "the loader hands in the Module object",
        'var Module=typeof Module!="undefined"?Module:{};',
        "var Module=globalThis.leanModule||{};",
    ),
    Edit(
        "the loader chooses how many threads are started ahead",
        "var pthreadPoolSize=4;",
        "var pthreadPoolSize=globalThis.leanPoolSize??4;",
    ),
    Edit(
        "symbol addresses come from symbols.bin: global offset table",
        "updateGOT(origExports);LDSO.init();",
        "leanResolveGlobals();LDSO.init();",
    ),
    Edit(
        "symbol addresses come from symbols.bin: no map from functions to table slots",
        "functionsInTableMap=new WeakMap;updateTableMap(0,wasmTable.length)}",
        "functionsInTableMap=new WeakMap}",
    ),
    Edit(
        "symbol addresses come from symbols.bin: dlsym",
        "var __dlsym_js=(handle,symbol,symbolIndex)=>{",
        "var __dlsym_js=(handle,symbol,symbolIndex)=>{"
        "if(handle==0)return leanSymbolAddress((growMemViews(),HEAPU8),symbol);",
    ),
    Edit(
        "what was called lies in an array, where the published code has V8 make a hash table",
        "var wasmTableMirror=[];",
        "var wasmTableMirror=new Array(1<<18);",
    ),
    Edit(
        "calls that may throw are WebAssembly's own: what Lean's module imports",
        '"GOT.func":GOTProxyHandler};return imports}',
        '"GOT.func":GOTProxyHandler};leanImportInvokes();return imports}',
    ),
    Edit(
        "calls that may throw are WebAssembly's own: C++ throws",
        "throw exceptionLast}",
        "leanThrown=1;throw exceptionLast}",
        count=3,
    ),
    Edit(
        "calls that may throw are WebAssembly's own: longjmp",
        "{throw Infinity}",
        "{leanThrown=1;throw Infinity}",
    ),
    Edit(
        "functions of JavaScript get their places in the table of functions in one step",
        'return wasmTable["grow"](1)};',
        "leanGrowTable();return freeTableIndexes.pop()};",
    ),
    Edit(
        "functions of JavaScript with one signature share the module that wraps them",
        "var module=new WebAssembly.Module(bytes);"
        "var instance=new WebAssembly.Instance(module,{e:{f:func}});",
        "var instance=new WebAssembly.Instance(leanWrapper(sig,bytes),{e:{f:func}});",
    ),
    _direct("___syscall_stat64", "path,buf", 45, "stat(path,buf)"),
    _direct("___syscall_openat", "dirfd,path,flags,varargs", 34, "open(path,flags)"),
    _direct("___syscall_fstat64", "fd,buf", 20, "fstat(fd,buf)"),
    _direct("_fd_read", "fd,iov,iovcnt,pnum", 158, "read(fd,iov,iovcnt,pnum)"),
    _direct("_fd_write", "fd,iov,iovcnt,pnum", 161, "write(fd,iov,iovcnt,pnum)"),
    _direct("_fd_seek", "fd,offset,whence,newOffset", 159, "seek(fd,offset,whence,newOffset)"),
    _direct("_fd_close", "fd", 154, "close(fd)"),
    Edit(
        "main runs in a thread: the published entry is kept under another name, unused",
        "function callMain(args=[]){",
        "function callMainOnMainThread(args=[]){",
    ),
    Edit(
        "main runs in a thread: what that thread runs",
        "var result=getWasmTableEntry(ptr)(arg);function finish",
        "var result=ptr==leanMainPointer()?leanRunMain(arg):getWasmTableEntry(ptr)(arg);"
        "function finish",
    ),
    Edit(
        "main runs in a thread: leaving it leaves the process (1 of 3)",
        "function exitOnMainThread(returnCode){if(ENVIRONMENT_IS_PTHREAD)"
        "return proxyToMainThread(1,0,0,returnCode);_exit(returnCode)}",
        "function exitOnMainThread(returnCode){if(ENVIRONMENT_IS_PTHREAD)"
        "return proxyToMainThread(1,0,0,returnCode);"
        'Module["onExit"](returnCode)}',
    ),
    Edit(
        "main runs in a thread: leaving it leaves the process (2 of 3)",
        'if(ENVIRONMENT_IS_PTHREAD){exitOnMainThread(status);throw"unwind"}',
        "if(ENVIRONMENT_IS_PTHREAD){leanFlushStreams();leanLeave(status)}",
    ),
    Edit(
        "main runs in a thread: leaving it leaves the process (3 of 3)",
        "return proxyToMainThread(0,0,1,code);EXITSTATUS=code;",
        "return proxyToMainThread(0,0,1,code);runtimeKeepaliveCounter=0;EXITSTATUS=code;",
    ),
    Edit(
        "one instance, many runs: a thread learns from the main thread which run it is of (1 of 2)",
        'var msg={cmd:"run",',
        'var msg={cmd:"run",leanRun:globalThis.leanRun,',
    ),
    Edit(
        "one instance, many runs: a thread learns from the main thread which run it is of (2 of 2)",
        'else if(cmd==="run"){',
        'else if(cmd==="run"){leanEnterRun(msgData.leanRun);',
    ),
    Edit(
        "threads get a native stack as large as the loader says",
        'new Worker(pthreadMainJs,{workerData:"em-pthread",name:"em-pthread"})',
        'new Worker(pthreadMainJs,{workerData:"em-pthread",name:"em-pthread",'
        "resourceLimits:{stackSizeMb:globalThis.leanNativeStackMb??4}})",
    ),
    Edit(
        "Lean sees only what the loader mounts; the published code mounts /home and /tmp",
        'if(lean_path){ENV["LEAN_PATH"]=lean_path}FS.mount(NODEFS,{root:"/home"},"/home");'
        'FS.mount(NODEFS,{root:"/tmp"},"/tmp");var cwd=process.cwd();'
        'if(cwd.startsWith("/private/tmp/")){cwd=cwd.replace("/private/tmp/","/tmp/")}'
        'else if(cwd==="/private/tmp"){cwd="/tmp"}FS.chdir(cwd)}',
        "}",
    ),
    Edit(
        "Lean sees the environment that the engine was started with",
        "var ENV={};",
        'var ENV=ENVIRONMENT_IS_NODE?{...process.env,LLVM_PROFILE_FILE:"/dev/null"}:{};',
    ),
    Edit(
        "Lean's own place is inside what it sees, not the folder on disk",
        "if(isNode){path=__filename}else",
        'if(isNode){path="/engine/bin/lean"}else',
    ),
    Edit(
        "the loader can mount folders, read the memory's size, and run Lean more than once",
        "function preRun(){",
        "globalThis.leanRuntime={get memoryBytes(){return wasmMemory.buffer.byteLength},"
        "get FS(){return FS},get NODEFS(){return NODEFS},keepImage:leanKeepImage,"
        "restoreImage:leanRestoreImage,run:callMain,"
        "get aborted(){return ABORT},get idle(){return!leanThreadsLeft()}};function preRun(){",
    ),
    Edit(
        "Node.js's permission model forbids `process.binding`, which is deprecated anyway",
        'process.binding("constants")["fs"]',
        "fs.constants",
    ),
    Edit(
        "no processes: C's system()",
        'if(!cmdstr.length)return 0;var cp=require("child_process");',
        'if(!cmdstr.length)return 0;return -52;var cp=require("child_process");',
    ),
    Edit(
        "no JavaScript from inside: emscripten_run_script and similar functions",
        "eval(UTF8ToString(ptr))",
        'abort("running JavaScript is not allowed")',
        count=3,
    ),
    Edit(
        "no foreign code: dlopen of a library could bring JavaScript with it",
        "var __dlopen_js=handle=>dlopenInternal(handle,{loadAsync:false});",
        'var __dlopen_js=handle=>{dlSetError("loading libraries is not allowed");return 0};',
    ),
)


def patch_glue(source: str) -> PatchedGlue:
    """The published `lean.js`, trimmed and edited.

    `source` is the file decoded as Latin-1, so that every byte survives.

    Raises:
        PatchError: a text is not where it is expected; the message names the edit.
    """
    text, mentioned = _trim(source)
    text = _silence_debug_output(text)
    for edit in EDITS:
        text = edit.applied(text, _FILE)
    names = ("symbols.js", "functions.js", "direct_io.js", "main_thread.js", "image.js")
    added = "".join(map(_javascript, names))
    library = Edit("functions that the edits call", _LIBRARY_ANCHOR, added + _LIBRARY_ANCHOR)
    return PatchedGlue(library.applied(text, _FILE), mentioned)


def _find(text: str, marker: str, start: int = 0) -> int:
    at = text.find(marker, start)
    if at < 0:
        raise PatchError(f"{_FILE}: the text {marker!r} is missing", remedy=NOT_KNOWN)
    return at


def _trim(source: str) -> tuple[str, frozenset[str]]:
    """Drop the exports that no other part of the file mentions.

    Returns the trimmed text and the names mentioned outside the list of exports.
    """
    start, end = _find(source, _EXPORTS_START), _find(source, _EXPORTS_END)
    before, exports, after = source[:start], source[start:end], source[end:]
    split = _find(exports, ";" + _ASSIGN_FUNCTION)
    declared = exports[len("var ") : split].split(",")
    assignments = exports[split + 1 + len(_ASSIGN_FUNCTION) :]
    mentioned = frozenset(_IDENTIFIER.findall(before + after))
    kept = [m.group(0).rstrip(";") for m in _ASSIGNMENT.finditer(assignments) if m[1] in mentioned]
    rest = _ASSIGNMENT.sub("", assignments)
    if rest != _ASSIGN_TABLE:
        raise PatchError(
            f"{_FILE}: between the exports is {rest[:200]!r}, expected {_ASSIGN_TABLE!r}",
            remedy=NOT_KNOWN,
        )
    kept_declared = [d for d in declared if d.split("=")[0] in mentioned]
    trimmed = (
        f"{before}var {','.join(kept_declared)};{_ASSIGN_FUNCTION}{_ASSIGN_TABLE}"
        f"{';'.join(kept)}{after}"
    )
    return trimmed, mentioned


def _silence_debug_output(text: str) -> str:
    """Stop inlined JavaScript from printing: left-over debugging of the published build."""
    start = _find(text, "var ASM_CONSTS={")
    end = _find(text, "}}};", start)
    return text[:start] + text[start:end].replace("console.log(", "void(") + text[end:]


def _javascript(name: str) -> str:
    return files(__package__).joinpath("js", name).read_text(encoding="utf-8")
