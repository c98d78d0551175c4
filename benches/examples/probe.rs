use chikaku_benches::{measured::*, peers::*, world::*};
use chikaku_core::matching::{
    measure::{Loop, Stage, stage},
    *,
};
use chikaku_core::time::Timestamp;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let ghz = {
        let t = cpu_time(|| {
            let mut x = 1u64;
            for _ in 0..100_000_000u64 {
                x = std::hint::black_box(x.rotate_left(1));
            }
            x
        });
        let _ = t;
        0.0
    };
    let _ = ghz;
    if args.iter().any(|a| a == "loops") {
        for l in [
            Loop::VectorAes,
            Loop::VectorRotate,
            Loop::VectorAdd,
            Loop::VectorKey,
            Loop::Aes,
            Loop::Sha,
        ] {
            let n = if l == Loop::VectorKey { 200_000 } else { 100_000_000 };
            let mut ts: Vec<_> = (0..5)
                .map(|_| {
                    let mut c = 0;
                    let t = cpu_time(|| c = l.run(n).unwrap_or(1));
                    t.div_f64(c as f64 / 1000.0)
                })
                .collect();
            println!("{l:?}: {:?} per 1000", median(&mut ts));
        }
    }
    if args.iter().any(|a| a == "stages") {
        let w = World::new(1000, Shape::Uniform, 4096, Starts::Aligned);
        let keys: Vec<[u8; 16]> = w.keys.iter().map(|k| *k.key.as_bytes()).collect();
        for n in [95usize, 970, 9700, 97000] {
            let w2 = World::new(n, Shape::Uniform, 0, Starts::Aligned);
            let heard: Vec<[u8; 16]> =
                w2.sightings.iter().map(|s| *s.advertisement.identifier.as_bytes()).collect();
            for set in InstructionSet::ALL.into_iter().filter(|s| s.is_available()) {
                let stages = [Stage::Derive, Stage::Derive, Stage::LookUp, Stage::LookUpMixed];
                let mut cs: Vec<_> = stages
                    .iter()
                    .map(|st| {
                        let (k, h) = (&keys, &heard);
                        Contestant::new(4096, move || {
                            stage(set, *st, k, h);
                        })
                    })
                    .collect();
                if n <= 95 {
                    let (k, h) = (&keys, &heard);
                    cs.push(Contestant::new(4096, move || {
                        stage(set, Stage::Decrypt, k, h);
                    }));
                }
                let r = in_turns(9, &mut cs);
                println!(
                    "{n} {set}: derive {:.1} encrypt {:.1} lookup {:.1} mixed {:.1} ns/key, decrypt {:?}",
                    r[0],
                    r[1],
                    r[2],
                    r[3],
                    r.get(4)
                );
            }
        }
    }
    if args.iter().any(|a| a == "match") {
        for shape in Shape::ALL {
            for m in [100usize, 1000, 10_000, 100_000, 1_000_000] {
                let w = World::new(m, shape, 40_000, Starts::Aligned);
                let wu = World::new(m, shape, 40_000, Starts::Anywhere);
                let heard: SightingIndex = w.sightings.iter().copied().collect();
                let heardu: SightingIndex = wu.sightings.iter().copied().collect();
                heard.identifiers();
                heardu.identifiers();
                let (wr, hr, wur, hur) = (&w, &heard, &wu, &heardu);
                let mut gaen = Gaen::new(&w.sightings);
                let mut found = [0usize; 8];
                let [f0, f1, f2, f3, f4, ..] = &mut found;
                let run = |h: &SightingIndex, w: &World, set, st| {
                    let mut mt = Matcher::new(h, MatchingRules::default())
                        .with_instructions(set)
                        .with_strategy(st);
                    for k in &w.keys {
                        mt.check(*k, Timestamp::MAX);
                    }
                    mt.finish().matches.len()
                };
                let mut cs = vec![
                    Contestant::new(4000, move || {
                        *f0 = gaen.matches(&mut wr.keys[..4000].iter().map(|k| &k.key))
                    }),
                    Contestant::new(40_000, move || {
                        *f1 = run(hr, wr, InstructionSet::best(), Strategy::Automatic)
                    }),
                    Contestant::new(40_000, move || {
                        *f2 = run(hur, wur, InstructionSet::best(), Strategy::Automatic)
                    }),
                    Contestant::new(40_000, move || {
                        *f3 = run(hr, wr, InstructionSet::AesNi, Strategy::Automatic)
                    }),
                    Contestant::new(40_000, move || {
                        *f4 = run(hr, wr, InstructionSet::best(), Strategy::Encrypt)
                    }),
                ];
                let r = in_turns(7, &mut cs);
                drop(cs);
                println!(
                    "{shape:?} {m}: gaen {:.0} vaes {:.0} (x{:.2}) unaligned {:.0} aesni {:.0} (x{:.2}) encrypt-only {:.0} found {found:?}",
                    r[0],
                    r[1],
                    r[0] / r[1],
                    r[2],
                    r[3],
                    r[0] / r[3],
                    r[4]
                );
            }
            if !args.iter().any(|a| a == "all") {
                break;
            }
        }
    }
}
