//! The protocol of the shared cache as a model, of which every order of steps is walked
//! through: readers, writers and keepers of two replicas, and what can go wrong with the
//! servers. What must hold is one sentence: a reader never answers with less than was
//! acknowledged when it began. And each rule of the protocol is needed: without it, an
//! order is found that breaks the sentence.
//!
//! Time is modelled by what it is for: a lease may end at any moment, and it is quiet
//! after a closing once no replica holds a lease from before it.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// The rules; each of them can be left out.
#[derive(Clone, Copy)]
struct Rules {
    /// A value is kept in the place of the reader's own note alone.
    note: bool,
    /// Who cannot empty closes, before he acknowledges.
    close: bool,
    /// Whoever closes or finds it closed waits until it is quiet; so does who opens.
    quiet: bool,
    /// A line belongs to one life of one server, and counts only if it is the one by
    /// the database.
    life: bool,
    /// Each opening has places of its own.
    number: bool,
    /// What a writer empties, is what is true after the commit.
    after: bool,
}

const ALL: Rules = Rules {
    note: true,
    close: true,
    quiet: true,
    life: true,
    number: true,
    after: true,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Value(u8),
    Note(u8),
    Mark(u8),
}

/// The cells of a life of a server, by the number of the opening.
type Cells = [Option<Cell>; MOST as usize + 1];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Replica {
    /// The number and the life that are believed to be in use.
    lease: Option<(u8, Option<u8>)>,
    /// Which life of a server is reached.
    line: Option<u8>,
    cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reader {
    Idle,
    /// It believes, and asks the server.
    Looks {
        floor: u8,
        number: u8,
        life: u8,
    },
    /// Nothing was there.
    Missed {
        floor: u8,
        number: u8,
        life: u8,
    },
    /// Its note is there.
    Noted {
        floor: u8,
        number: u8,
        life: u8,
    },
    /// It asks the database, and keeps nothing.
    Asks {
        floor: u8,
    },
    /// It keeps what the database said.
    Keeps {
        number: u8,
        life: u8,
        value: u8,
    },
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Announces,
    /// Under which number it has marked, if it has.
    Commits {
        marked: Option<(u8, u8)>,
    },
    Settles {
        version: u8,
        marked: Option<(u8, u8)>,
    },
    /// It waits until nobody believes what was before this number.
    Quiets {
        version: Option<u8>,
        number: u8,
    },
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    /// What is true, and what of it was acknowledged.
    value: u8,
    acknowledged: u8,
    number: u8,
    open: Option<u8>,
    lives: [Option<Cells>; 3],
    /// A copy from which a server may be restored, or promoted.
    copy: Cells,
    replicas: [Replica; 2],
    readers: [Option<(usize, Reader)>; 2],
    writers: [Option<(usize, Writer)>; 2],
    faults: u8,
}

/// No more openings and closings than it takes.
const MOST: u8 = 4;

impl World {
    /// The cache is open and believed, and what was true at first lies in it, or nothing.
    fn new(readers: &[usize], writers: &[usize], faults: u8, warm: bool) -> Self {
        let replica = Replica {
            lease: Some((1, Some(0))),
            line: Some(0),
            cut: false,
        };
        let mut cells = Cells::default();
        cells[1] = warm.then_some(Cell::Value(0));
        let nth = |all: &[usize], index: usize| all.get(index).copied();
        Self {
            value: 0,
            acknowledged: 0,
            number: 1,
            open: Some(0),
            copy: cells,
            lives: [Some(cells), None, None],
            replicas: [replica; 2],
            readers: [0, 1].map(|index| nth(readers, index).map(|at| (at, Reader::Idle))),
            writers: [0, 1].map(|index| nth(writers, index).map(|at| (at, Writer::Announces))),
            faults,
        }
    }

    fn cell(&mut self, life: u8, place: u8) -> &mut Option<Cell> {
        let cells = self.lives[usize::from(life)].as_mut().expect("it lived");
        &mut cells[usize::from(place)]
    }

    /// How many lives of servers there were.
    fn lived(&self) -> usize {
        self.lives.iter().flatten().count()
    }

    /// What a replica uses: the number, and the life that it reaches.
    fn usable(&self, at: usize, rules: Rules) -> Option<(u8, u8)> {
        let replica = &self.replicas[at];
        let (number, server) = replica.lease?;
        self.reached(at, number, server?, rules)
    }

    fn reached(&self, at: usize, number: u8, server: u8, rules: Rules) -> Option<(u8, u8)> {
        let line = self.replicas[at].line?;
        (line == server || !rules.life).then_some((number, line))
    }

    fn is_quiet(&self, number: u8, rules: Rules) -> bool {
        let later = |replica: &Replica| replica.lease.is_none_or(|(held, _)| held >= number);
        !rules.quiet || self.replicas.iter().all(later)
    }

    fn close(&mut self, number: u8) {
        if self.number == number && self.open.is_some() {
            self.number += 1;
            self.open = None;
        }
    }

    /// Every world that can be next, or the sentence that is broken.
    fn next(&self, rules: Rules) -> Result<Vec<Self>, String> {
        let mut next = Vec::new();
        for index in 0..2 {
            next.extend(self.reads(index, rules)?);
            next.extend(self.writes(index, rules));
        }
        for at in 0..2 {
            self.keeps(at, rules, &mut next);
        }
        if self.faults > 0 {
            self.fails(&mut next);
        }
        Ok(next)
    }

    fn reads(&self, index: usize, rules: Rules) -> Result<Option<Self>, String> {
        let mut world = *self;
        let Some((at, reader)) = self.readers[index] else {
            return Ok(None);
        };
        let me = u8::try_from(index).unwrap_or(u8::MAX);
        let place = |number: u8| if rules.number { number } else { 0 };
        let answer = |value: u8, floor: u8| {
            if value < floor {
                return Err(format!(
                    "{value} is answered after {floor} was acknowledged"
                ));
            }
            Ok(Reader::Done)
        };
        let then = match reader {
            Reader::Idle => {
                let floor = self.acknowledged;
                match self.usable(at, rules) {
                    None => Reader::Asks { floor },
                    Some((number, life)) => Reader::Looks {
                        floor,
                        number,
                        life,
                    },
                }
            }
            Reader::Looks {
                floor,
                number,
                life,
            } => match *world.cell(life, place(number)) {
                Some(Cell::Value(value)) => answer(value, floor)?,
                Some(_) => Reader::Asks { floor },
                None => Reader::Missed {
                    floor,
                    number,
                    life,
                },
            },
            Reader::Missed {
                floor,
                number,
                life,
            } => {
                let cell = world.cell(life, place(number));
                if cell.is_none() {
                    *cell = Some(Cell::Note(me));
                    Reader::Noted {
                        floor,
                        number,
                        life,
                    }
                } else {
                    Reader::Asks { floor }
                }
            }
            Reader::Noted {
                floor,
                number,
                life,
            } => {
                answer(self.value, floor)?;
                Reader::Keeps {
                    number,
                    life,
                    value: self.value,
                }
            }
            Reader::Asks { floor } => answer(self.value, floor)?,
            Reader::Keeps {
                number,
                life,
                value,
            } => {
                let cell = world.cell(life, place(number));
                if !rules.note || *cell == Some(Cell::Note(me)) {
                    *cell = Some(Cell::Value(value));
                }
                Reader::Done
            }
            Reader::Done => return Ok(None),
        };
        world.readers[index] = Some((at, then));
        Ok(Some(world))
    }

    fn writes(&self, index: usize, rules: Rules) -> Option<Self> {
        let mut world = *self;
        let (at, writer) = self.writers[index]?;
        let me = u8::try_from(index).unwrap_or(u8::MAX);
        let place = |number: u8| if rules.number { number } else { 0 };
        // What it finds when it asks the database, if it believes nothing by itself.
        let asked = |world: &Self| {
            let server = world.open?;
            world.reached(at, world.number, server, rules)
        };
        let then = match writer {
            Writer::Announces => match self.usable(at, rules).or_else(|| asked(self)) {
                Some((number, life)) => {
                    *world.cell(life, place(number)) = Some(Cell::Mark(me));
                    Writer::Commits {
                        marked: Some((number, life)),
                    }
                }
                None if rules.close => {
                    world.close(self.number);
                    Writer::Quiets {
                        version: None,
                        number: world.number,
                    }
                }
                None => Writer::Commits { marked: None },
            },
            Writer::Commits { marked } => {
                world.value += 1;
                Writer::Settles {
                    version: world.value,
                    marked,
                }
            }
            Writer::Settles { version, marked } => {
                let now = self.usable(at, rules).or_else(|| asked(self));
                let before = marked.filter(|(_, life)| self.replicas[at].line == Some(*life));
                match if rules.after { now } else { before } {
                    Some((number, life)) => {
                        let cell = world.cell(life, place(number));
                        if !matches!(cell, Some(Cell::Mark(other)) if *other != me) {
                            *cell = None;
                        }
                        world.acknowledge(version)
                    }
                    None if rules.close => {
                        world.close(self.number);
                        Writer::Quiets {
                            version: Some(version),
                            number: world.number,
                        }
                    }
                    None => world.acknowledge(version),
                }
            }
            Writer::Quiets { version, number } => {
                if !self.is_quiet(number, rules) {
                    return None;
                }
                match version {
                    Some(version) => world.acknowledge(version),
                    None => Writer::Commits { marked: None },
                }
            }
            Writer::Done => return None,
        };
        world.writers[index] = Some((at, then));
        Some(world)
    }

    fn acknowledge(&mut self, version: u8) -> Writer {
        self.acknowledged = self.acknowledged.max(version);
        Writer::Done
    }

    /// What the keeper of a replica does, and the end of its lease.
    fn keeps(&self, at: usize, rules: Rules, next: &mut Vec<Self>) {
        let replica = self.replicas[at];
        let newest = u8::try_from(self.lived() - 1).unwrap_or(u8::MAX);
        let mut step = |change: &dyn Fn(&mut Self)| {
            let mut world = *self;
            change(&mut world);
            if world != *self {
                next.push(world);
            }
        };
        step(&|world| world.replicas[at].lease = Some((self.number, self.open)));
        step(&|world| world.replicas[at].lease = None);
        let Some(line) = replica.line else {
            if !replica.cut {
                step(&|world| world.replicas[at].line = Some(newest));
            }
            return;
        };
        match self.open {
            None if self.number < MOST && self.is_quiet(self.number, rules) => step(&|world| {
                world.number += 1;
                world.open = Some(line);
            }),
            Some(server) if server != line && rules.life => step(&|world| world.close(self.number)),
            _ => {}
        }
    }

    /// What goes wrong.
    fn fails(&self, next: &mut Vec<Self>) {
        let mut step = |change: &dyn Fn(&mut Self)| {
            let mut world = *self;
            change(&mut world);
            if world != *self {
                world.faults -= 1;
                next.push(world);
            }
        };
        for at in 0..2 {
            step(&|world| world.replicas[at].line = None);
            step(&|world| {
                world.replicas[at].line = None;
                world.replicas[at].cut = true;
            });
        }
        // A third replica, that is cut off, writes elsewhere.
        step(&|world| world.close(self.number));
        // Everything is forgotten. What a server forgets alone, when it is short of memory,
        // is no more than this.
        let lived = self.lived();
        for life in 0..lived {
            step(&|world| world.lives[life] = Some(Cells::default()));
        }
        if lived < self.lives.len() {
            // A server is restored from a copy, or a copy is promoted; who is connected to
            // the old one, may be so still.
            step(&|world| world.lives[lived] = Some(self.copy));
            for cells in [Cells::default(), self.copy] {
                step(&|world| {
                    world.lives[lived] = Some(cells);
                    world.replicas.iter_mut().for_each(|each| each.line = None);
                });
            }
        }
    }
}

/// FNV-1a, which is quick for a few bytes.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word.unsigned_abs() as u64);
    }
}

/// Walks through everything; how many worlds there are, or what is broken.
fn walk(start: World, rules: Rules) -> Result<usize, String> {
    let mut seen: HashSet<World, BuildHasherDefault<Fnv>> = HashSet::default();
    let mut waiting = vec![start];
    seen.insert(start);
    while let Some(world) = waiting.pop() {
        let next = world.next(rules)?.into_iter();
        waiting.extend(next.filter(|next| seen.insert(*next)));
    }
    Ok(seen.len())
}

/// Who reads and writes where, and how much goes wrong.
fn scenes() -> Vec<World> {
    vec![
        World::new(&[1, 1], &[0], 1, true),
        World::new(&[1, 1], &[0], 1, false),
        World::new(&[1], &[0], 2, true),
        World::new(&[0, 1], &[1], 1, false),
        World::new(&[1], &[0, 1], 1, true),
    ]
}

#[test]
fn no_order_of_steps_answers_with_what_was_before_an_acknowledged_change() {
    for (index, scene) in scenes().into_iter().enumerate() {
        let worlds = walk(scene, ALL);
        assert!(worlds.is_ok(), "scene {index}: {worlds:?}");
        eprintln!("scene {index}: {worlds:?} worlds");
    }
}

#[test]
fn each_rule_is_needed() {
    let without: [(&str, Rules); 6] = [
        ("the note", Rules { note: false, ..ALL }),
        (
            "closing",
            Rules {
                close: false,
                ..ALL
            },
        ),
        (
            "quiet",
            Rules {
                quiet: false,
                ..ALL
            },
        ),
        ("lives", Rules { life: false, ..ALL }),
        (
            "numbers",
            Rules {
                number: false,
                ..ALL
            },
        ),
        (
            "emptying what is true after it",
            Rules {
                after: false,
                ..ALL
            },
        ),
    ];
    for (name, rules) in without {
        let broken = scenes()
            .into_iter()
            .any(|scene| walk(scene, rules).is_err());
        assert!(broken, "without {name} nothing is broken");
    }
}
