;; Finds the strings and the end of a JSON value, 64 bytes at a time. blockScan.ts calls it, and says what goes in and out.
;;
;; One bit stands for one byte of a block, the lowest for the first. How escaped bytes and the insides of strings are found
;; without a branch for each byte: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019,
;; section 3.1.
(module
  ;; 64 KiB of JSON, and behind it the start and end of each string found. A string takes two bytes at least.
  (memory (export "memory") 5)
  ;; Open brackets around the next byte. 0: it is inside of a string that is a value of the top level.
  (global $depth (export "depth") (mut i32) (i32.const 0))
  ;; 1: the next byte is inside of a string.
  (global $inside (export "inside") (mut i32) (i32.const 0))
  ;; 1: a backslash escapes the next byte.
  (global $escape (export "escape") (mut i64) (i64.const 0))
  ;; Where the string began that the next byte is inside of, after its quote. Negative: before the first byte.
  (global $start (export "start") (mut i32) (i32.const 0))
  ;; Strings are noted that are at most so long, or longer than the other.
  (global $short (export "short") (mut i32) (i32.const 0))
  (global $long (export "long") (mut i32) (i32.const 0))
  ;; Where the next noted string is written to.
  (global $noted (export "noted") (mut i32) (i32.const 65536))

  ;; A bit for each byte of a block that is $byte, where the bits of $fold are set in both.
  (func $find (param $at i32) (param $byte v128) (param $fold v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte) (v128.or (local.get $fold) (v128.load (local.get $at))))))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte) (v128.or (local.get $fold) (v128.load offset=16 (local.get $at)))))) (i64.const 16)))
      (i64.or
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte) (v128.or (local.get $fold) (v128.load offset=32 (local.get $at)))))) (i64.const 32))
        (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $byte) (v128.or (local.get $fold) (v128.load offset=48 (local.get $at)))))) (i64.const 48)))))

  ;; The bytes of a block that a backslash escapes. Outside of strings JSON has no backslashes.
  (func $escaped (param $backslashes i64) (result i64)
    (local $before i64) (local $codes i64)
    (local.set $before (global.get $escape))
    (if (i64.eqz (local.get $backslashes))
      (then
        (global.set $escape (i64.const 0))
        (return (local.get $before))))
    ;; Of each run of backslashes, the first that is not escaped itself escapes, and every second after it.
    (local.set $codes (i64.and (local.get $backslashes) (i64.xor (local.get $before) (i64.const -1))))
    (local.set $codes
      (i64.xor (i64.const 0xaaaaaaaaaaaaaaaa)
        (i64.sub (i64.or (i64.const 0xaaaaaaaaaaaaaaaa) (i64.shl (local.get $codes) (i64.const 1))) (local.get $codes))))
    (global.set $escape (i64.shr_u (i64.and (local.get $codes) (local.get $backslashes)) (i64.const 63)))
    (i64.xor (local.get $codes) (i64.or (local.get $backslashes) (local.get $before))))

  ;; For each bit, whether an odd number of bits stand up to it.
  (func $parity (param $bits i64) (result i64)
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 1))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 2))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 4))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 8))))
    (local.set $bits (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 16))))
    (i64.xor (local.get $bits) (i64.shl (local.get $bits) (i64.const 32))))

  ;; The number of the bit at which the last bracket closes, or 64. Counts the brackets up to there.
  (func $close (param $opening i64) (param $closing i64) (result i32)
    (local $both i64) (local $lowest i64)
    (local.set $both (i64.or (local.get $opening) (local.get $closing)))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $both)))
        (local.set $lowest (i64.and (local.get $both) (i64.sub (i64.const 0) (local.get $both))))
        (if (i64.eqz (i64.and (local.get $lowest) (local.get $opening)))
          (then
            (global.set $depth (i32.sub (global.get $depth) (i32.const 1)))
            (if (i32.eqz (global.get $depth)) (then (return (i32.wrap_i64 (i64.ctz (local.get $lowest)))))))
          (else (global.set $depth (i32.add (global.get $depth) (i32.const 1)))))
        (local.set $both (i64.xor (local.get $both) (local.get $lowest)))
        (br $next)))
    (i32.const 64))

  ;; Follows the strings that begin and end in a block, and notes those that are short or long.
  (func $strings (param $at i32) (param $quotes i64)
    (local $quote i32) (local $length i32)
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $quotes)))
        (local.set $quote (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $quotes)))))
        (local.set $quotes (i64.and (local.get $quotes) (i64.sub (local.get $quotes) (i64.const 1))))
        (if (global.get $inside)
          (then
            (global.set $inside (i32.const 0))
            (local.set $length (i32.sub (local.get $quote) (global.get $start)))
            (if (i32.or (i32.le_s (local.get $length) (global.get $short)) (i32.gt_s (local.get $length) (global.get $long)))
              (then
                (i32.store (global.get $noted) (global.get $start))
                (i32.store offset=4 (global.get $noted) (local.get $quote))
                (global.set $noted (i32.add (global.get $noted) (i32.const 8))))))
          (else
            (global.set $inside (i32.const 1))
            (global.set $start (i32.add (local.get $quote) (i32.const 1)))))
        (br $next))))

  ;; Reads $length bytes, a multiple of 64. Returns the index after the value's end, or -1 where it does not end in them.
  (func (export "run") (param $length i32) (result i32)
    (local $at i32) (local $quotes i64) (local $strings i64) (local $opening i64) (local $closing i64) (local $end i32)
    (global.set $noted (i32.const 65536))
    (block $done
      (loop $block
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $quotes
          (i64.and
            (call $find (local.get $at) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34) (v128.const i64x2 0 0))
            (i64.xor (i64.const -1)
              (call $escaped (call $find (local.get $at) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92) (v128.const i64x2 0 0))))))
        (if (i32.eqz (global.get $depth))
          (then
            (if (i64.ne (local.get $quotes) (i64.const 0))
              (then
                (global.set $inside (i32.const 0))
                (return (i32.add (i32.const 1) (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $quotes)))))))))
          (else
            ;; A block in the middle of a string has nothing else to look at.
            (if (i32.or (i64.ne (local.get $quotes) (i64.const 0)) (i32.eqz (global.get $inside)))
              (then
                (local.set $strings (i64.xor (call $parity (local.get $quotes)) (i64.sub (i64.const 0) (i64.extend_i32_u (global.get $inside)))))
                ;; `[` and `{` differ in one bit, as `]` and `}` do.
                (local.set $opening
                  (i64.and (i64.xor (local.get $strings) (i64.const -1))
                    (call $find (local.get $at) (v128.const i8x16 123 123 123 123 123 123 123 123 123 123 123 123 123 123 123 123) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))))
                (local.set $closing
                  (i64.and (i64.xor (local.get $strings) (i64.const -1))
                    (call $find (local.get $at) (v128.const i8x16 125 125 125 125 125 125 125 125 125 125 125 125 125 125 125 125) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))))
                (if (i32.gt_s (global.get $depth) (i32.wrap_i64 (i64.popcnt (local.get $closing))))
                  (then
                    (global.set $depth
                      (i32.sub (i32.add (global.get $depth) (i32.wrap_i64 (i64.popcnt (local.get $opening)))) (i32.wrap_i64 (i64.popcnt (local.get $closing))))))
                  (else
                    (local.set $end (call $close (local.get $opening) (local.get $closing)))
                    (if (i32.lt_u (local.get $end) (i32.const 64))
                      (then
                        (call $strings (local.get $at)
                          (i64.and (local.get $quotes) (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $end))) (i64.const 1))))
                        (return (i32.add (i32.const 1) (i32.add (local.get $at) (local.get $end))))))))
                (call $strings (local.get $at) (local.get $quotes))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $block)))
    (i32.const -1)))
