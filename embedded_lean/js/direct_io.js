
// Files that Lean's threads read themselves.  The published code sends every system call to the main
// JavaScript thread and waits.  These functions answer for compiled modules (.olean) below the roots that
// the loader names, and for the three standard streams; `undefined` means "not mine, ask the main thread".
var leanDirectIO = {
  // [[prefix that Lean sees, folder on disk], ...]; both end in "/"
  roots: ENVIRONMENT_IS_NODE ? JSON.parse(process.env.LEAN_ENGINE_ROOTS || "[]") : [],
  files: [],
  firstDescriptor: 65536,
  // where the standard streams really go; -1: nowhere.  Runs that share a process have files of their own.
  streams: [0, 1, 2],
  pause: new Int32Array(new SharedArrayBuffer(4)),
  onDisk(pointer) {
    var path = UTF8ToString(pointer);
    if (path.includes("..") && path.split("/").includes("..")) return;
    for (var [prefix, folder] of this.roots) if (path.startsWith(prefix)) return folder + path.slice(prefix.length);
  },
  // Of an instance that runs Lean more than once: what differs between its runs.
  run: undefined,
  enter(run) {
    Object.assign(this, { run, roots: run.roots, streams: run.streams });
    for (var file of this.files) if (file) fs.closeSync(file.handle);
    this.files = [];
  },
  file(descriptor) {
    return this.files[descriptor - this.firstDescriptor];
  },
  // What lies below the first root, Lean's own library, which never changes: `host.cjs` lists it once for all runs.
  library: ENVIRONMENT_IS_NODE ? require("worker_threads").getEnvironmentData("library") : undefined,
  stat(pointer, buffer) {
    var path = this.onDisk(pointer);
    if (path === undefined) return;
    if (this.library && path.startsWith(this.roots[0][1])) {
      var mode = this.library.get(path.slice(this.roots[0][1].length));
      if (mode === undefined) return -44; // ENOENT
      growMemViews();
      HEAPU8.fill(0, buffer, buffer + 96); // struct stat
      HEAPU32[(buffer + 4) >> 2] = mode;
      return 0;
    }
    var stat = fs.statSync(path, { throwIfNoEntry: false });
    if (!stat) return -44;
    return SYSCALLS.writeStat(buffer, stat);
  },
  open(pointer, flags) {
    if (flags & (3 | 64 | 512 | 1024)) return; // not plain reading: write, create, truncate, append
    var path = this.onDisk(pointer);
    if (path === undefined || !path.endsWith(".olean")) return;
    var handle;
    try {
      handle = fs.openSync(path, "r");
    } catch (e) {
      return e.code == "ENOENT" ? -44 : undefined;
    }
    var free = this.files.findIndex((file) => !file);
    if (free < 0) free = this.files.length;
    this.files[free] = { handle, position: 0 };
    return this.firstDescriptor + free;
  },
  fstat(descriptor, buffer) {
    var file = this.file(descriptor);
    if (file) return SYSCALLS.writeStat(buffer, fs.fstatSync(file.handle));
  },
  // One read or write on a standard stream, which may be a pipe that is not ready.
  stream(descriptor, pointer, length, writing) {
    descriptor = this.streams[descriptor];
    if (descriptor < 0) return 0;
    for (;;)
      try {
        if (writing) return fs.writeSync(descriptor, HEAPU8, pointer, length);
        return fs.readSync(descriptor, HEAPU8, pointer, length, null);
      } catch (e) {
        if (e.code == "EOF") return 0;
        if (e.code != "EAGAIN") throw e;
        Atomics.wait(this.pause, 0, 0, 1);
      }
  },
  read(descriptor, vectors, count, resultPointer) {
    var file = this.file(descriptor);
    if (descriptor != 0 && !file) return;
    var total = 0;
    growMemViews();
    for (; count--; vectors += 8) {
      var pointer = HEAPU32[vectors >> 2], length = HEAPU32[(vectors + 4) >> 2], got;
      if (!length) continue;
      if (file) {
        got = fs.readSync(file.handle, HEAPU8, pointer, length, file.position);
        file.position += got;
      } else {
        got = this.stream(0, pointer, length, false);
      }
      total += got;
      if (got < length) break;
    }
    HEAPU32[resultPointer >> 2] = total;
    return 0;
  },
  write(descriptor, vectors, count, resultPointer) {
    if (descriptor != 1 && descriptor != 2) return;
    var total = 0;
    growMemViews();
    for (; count--; vectors += 8) {
      var pointer = HEAPU32[vectors >> 2], length = HEAPU32[(vectors + 4) >> 2];
      while (length > 0) {
        var put = this.stream(descriptor, pointer, length, true);
        pointer += put;
        length -= put;
        total += put;
      }
    }
    HEAPU32[resultPointer >> 2] = total;
    return 0;
  },
  seek(descriptor, offset, whence, resultPointer) {
    var file = this.file(descriptor);
    if (!file) return;
    offset = Number(offset);
    if (whence == 0) file.position = offset;
    else if (whence == 1) file.position += offset;
    else file.position = fs.fstatSync(file.handle).size + offset;
    growMemViews();
    HEAP64[resultPointer >> 3] = BigInt(file.position);
    return 0;
  },
  close(descriptor) {
    var file = this.file(descriptor);
    if (!file) return;
    this.files[descriptor - this.firstDescriptor] = undefined;
    fs.closeSync(file.handle);
    return 0;
  },
};
