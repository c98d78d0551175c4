//! Phones on a virtual clock and a virtual radio, each running the very engine that ships.
//!
//! * [`scenario`]: who is where, when, with which phone, and who tests positive;
//! * [`radio`]: what a scan hears, with parameters measured on real phones;
//! * [`world`]: the event queue that runs the phones, the key server and the people;
//! * [`fidelity`]: how far the radio agrees with real phones;
//! * [`regression`]: the scenarios of the library, held against what must come of them;
//! * [`experiment`]: sweeps over arms and seeds, as tables;
//! * [`report`]: those tables as one page with plots;
//! * [`accuracy`]: how well each rule tells near from far on real phones;
//! * [`replay`]: real phones' HCI captures through the same engine;
//! * [`trace_file`]: traces that can be run again;
//! * [`encounter_file`]: encounter logs as JSON lines;
//! * [`key_server`]: a key server over HTTP for tests;
//! * [`population`]: an epidemic, an app and a prefecture's beds, for millions of people.
//!
//! One seed gives one trace, byte for byte, on every machine.

pub mod accuracy;
pub mod encounter_file;
pub mod experiment;
pub mod fidelity;
pub mod key_server;
pub mod population;
pub mod radio;
pub mod regression;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod trace_file;
pub mod world;
