//! A server of TDS 7.4 on loopback that answers as its script says.
//!
//! Reference: MS-TDS, sections 2.2.3 (packets), 2.2.6.5 (PRELOGIN), 2.2.6.4 (LOGIN7), 2.2.7 (tokens), 2.2.5.4 (types).

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SQL_BATCH: u8 = 1;
const TABULAR: u8 = 4;
const PRELOGIN: u8 = 0x12;
const COLLATION: [u8; 5] = [0x09, 0x04, 0xd0, 0x00, 0x34];

/// A value, which says its column's type too.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Int(Option<i32>),
    Big(Option<i64>),
    Small(Option<i16>),
    Tiny(Option<u8>),
    Bit(Option<bool>),
    Float(Option<f64>),
    Real(Option<f32>),
    Text(Option<String>),
    /// nvarchar(max), in chunks.
    Long(Option<String>),
    /// Value, precision, scale.
    Decimal(Option<i128>, u8, u8),
    Bytes(Option<Vec<u8>>),
    /// Days since 0001-01-01.
    Date(Option<u32>),
    /// Days, and 100 ns of the day.
    Moment(Option<(u32, u64)>),
}

/// What is answered to one statement.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    tokens: Vec<u8>,
    /// Whether the connection breaks instead of the answer's end.
    breaks: bool,
}

impl Answer {
    pub(super) fn done() -> Self {
        Self {
            tokens: done(0),
            breaks: false,
        }
    }

    pub(super) fn rows(names: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        let mut tokens = table(names, &rows);
        tokens.extend(done(rows.len() as u64));
        Self {
            tokens,
            breaks: false,
        }
    }

    pub(super) fn error(code: u32, message: &str) -> Self {
        Self {
            tokens: [error(code, message), done(0)].concat(),
            breaks: false,
        }
    }

    pub(super) fn broken_after(rows: Vec<Vec<Cell>>) -> Self {
        let names = vec!["c"; rows[0].len()];
        let mut tokens = table(&names, &rows);
        tokens.truncate(tokens.len() - 3);
        Self {
            tokens,
            breaks: true,
        }
    }

    pub(super) fn failing_after(rows: Vec<Vec<Cell>>, code: u32, message: &str) -> Self {
        let names = vec!["c"; rows[0].len()];
        Self {
            tokens: [table(&names, &rows), error(code, message), done(0)].concat(),
            breaks: false,
        }
    }
}

/// What a server answers: the first entry whose text stands in the statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    answers: Vec<(String, Answer)>,
    login: Option<Vec<u8>>,
}

impl Script {
    pub(super) fn on(mut self, text: &str, answer: Answer) -> Self {
        self.answers.push((text.to_owned(), answer));
        self
    }

    pub(super) fn first(mut self, text: &str, answer: Answer) -> Self {
        self.answers.insert(0, (text.to_owned(), answer));
        self
    }

    pub(super) fn refusing_login(mut self, code: u32, message: &str) -> Self {
        self.login = Some([error(code, message), done(0)].concat());
        self
    }
}

#[derive(Debug, Default)]
struct Heard {
    login: Vec<u8>,
    asked: Vec<String>,
}

pub(super) struct TdsServer {
    pub(super) port: u16,
    heard: Arc<Mutex<Heard>>,
}

impl TdsServer {
    pub(super) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let shared = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away in the middle is what some tests are about.
                tokio::spawn(serve(stream, script.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, heard }
    }

    /// The statements, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.heard.lock().unwrap().asked.clone()
    }

    /// The readable part of the login.
    pub(super) fn login(&self) -> String {
        let login = &self.heard.lock().unwrap().login;
        text_of(&login[login.len() % 2..]) + &text_of(&login[1..])
    }

    /// Bit 5 of TypeFlags, which is byte 26 of LOGIN7.
    pub(super) fn is_read_only(&self) -> bool {
        self.heard.lock().unwrap().login[26] & 0x20 != 0
    }
}

async fn serve(mut stream: TcpStream, script: Script, heard: Arc<Mutex<Heard>>) -> Option<()> {
    let (kind, _) = message(&mut stream).await?;
    assert_eq!(kind, PRELOGIN);
    send(&mut stream, &prelogin()).await?;
    let (_, login) = message(&mut stream).await?;
    heard.lock().unwrap().login = login;
    send(
        &mut stream,
        &script
            .login
            .clone()
            .unwrap_or_else(|| [login_ack(), done(0)].concat()),
    )
    .await?;
    loop {
        let (kind, body) = message(&mut stream).await?;
        if kind != SQL_BATCH {
            continue;
        }
        // The statement comes after the headers, whose length comes first.
        let headers = u32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
        let sql = text_of(&body[headers..]);
        heard.lock().unwrap().asked.push(sql.clone());
        let found = script
            .answers
            .iter()
            .find(|(text, _)| sql.contains(text.as_str()));
        let answer = found.map_or_else(
            || Answer::error(50000, &format!("not in the script: {sql}")),
            |(_, it)| it.clone(),
        );
        send(&mut stream, &answer.tokens).await?;
        if answer.breaks {
            return None;
        }
    }
}

/// The packets of one message.
async fn message(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; 8];
        stream.read_exact(&mut header).await.ok()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let start = body.len();
        body.resize(start + length - 8, 0);
        stream.read_exact(&mut body[start..]).await.ok()?;
        if header[1] & 1 != 0 {
            return Some((header[0], body));
        }
    }
}

async fn send(stream: &mut TcpStream, body: &[u8]) -> Option<()> {
    let packets: Vec<&[u8]> = body.chunks(4000).collect();
    for (index, packet) in packets.iter().enumerate() {
        let is_last = index + 1 == packets.len();
        let length = (packet.len() as u16 + 8).to_be_bytes();
        let header = [
            TABULAR,
            u8::from(is_last),
            length[0],
            length[1],
            0,
            0,
            index as u8,
            0,
        ];
        stream
            .write_all(&[&header[..], packet].concat())
            .await
            .ok()?;
    }
    Some(())
}

/// Version 16, and no encryption.
fn prelogin() -> Vec<u8> {
    let mut body = vec![0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff];
    body.extend([16, 0, 0, 0, 0, 0, 2]);
    body
}

fn login_ack() -> Vec<u8> {
    let mut ack = vec![1, 0x74, 0, 0, 4];
    ack.extend(short_text("Microsoft SQL Server"));
    ack.extend([16, 0, 0, 0]);
    let mut token = vec![0xad];
    token.extend((ack.len() as u16).to_le_bytes());
    token.extend(ack);
    token
}

fn done(rows: u64) -> Vec<u8> {
    // DONE_COUNT, and no more to come.
    let mut token = vec![0xfd, 0x10, 0, 0xc1, 0];
    token.extend(rows.to_le_bytes());
    token
}

fn error(code: u32, message: &str) -> Vec<u8> {
    let mut body = code.to_le_bytes().to_vec();
    body.extend([1, 14]);
    body.extend((message.encode_utf16().count() as u16).to_le_bytes());
    body.extend(utf16(message));
    body.extend(short_text("SERVER"));
    body.extend(short_text(""));
    body.extend(1_u32.to_le_bytes());
    let mut token = vec![0xaa];
    token.extend((body.len() as u16).to_le_bytes());
    token.extend(body);
    token
}

fn table(names: &[&str], rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut token = vec![0x81];
    token.extend((names.len() as u16).to_le_bytes());
    for (name, cell) in names.iter().zip(&rows[0]) {
        token.extend([0; 4]);
        token.extend([1, 0]);
        token.extend(cell.type_info());
        token.extend(short_text(name));
    }
    for row in rows {
        token.push(0xd1);
        for cell in row {
            token.extend(cell.value());
        }
    }
    token
}

impl Cell {
    fn type_info(&self) -> Vec<u8> {
        let with_collation = |head: &[u8]| [head, &COLLATION].concat();
        match self {
            Self::Int(_) => vec![0x26, 4],
            Self::Big(_) => vec![0x26, 8],
            Self::Small(_) => vec![0x26, 2],
            Self::Tiny(_) => vec![0x26, 1],
            Self::Bit(_) => vec![0x68, 1],
            Self::Float(_) => vec![0x6d, 8],
            Self::Real(_) => vec![0x6d, 4],
            Self::Text(_) => with_collation(&[0xe7, 0x40, 0x1f]),
            Self::Long(_) => with_collation(&[0xe7, 0xff, 0xff]),
            Self::Decimal(_, precision, scale) => vec![0x6a, 17, *precision, *scale],
            Self::Bytes(_) => vec![0xa5, 0x40, 0x1f],
            Self::Date(_) => vec![0x28],
            Self::Moment(_) => vec![0x2a, 7],
        }
    }

    fn value(&self) -> Vec<u8> {
        let short = |bytes: Option<Vec<u8>>| match bytes {
            None => vec![0],
            Some(bytes) => [&[bytes.len() as u8][..], &bytes].concat(),
        };
        let long = |bytes: Option<Vec<u8>>| match bytes {
            None => vec![0xff, 0xff],
            Some(bytes) => [&(bytes.len() as u16).to_le_bytes()[..], &bytes].concat(),
        };
        match self {
            Self::Int(it) => short(it.map(|it| it.to_le_bytes().to_vec())),
            Self::Big(it) => short(it.map(|it| it.to_le_bytes().to_vec())),
            Self::Small(it) => short(it.map(|it| it.to_le_bytes().to_vec())),
            Self::Tiny(it) => short(it.map(|it| vec![it])),
            Self::Bit(it) => short(it.map(|it| vec![it.into()])),
            Self::Float(it) => short(it.map(|it| it.to_le_bytes().to_vec())),
            Self::Real(it) => short(it.map(|it| it.to_le_bytes().to_vec())),
            Self::Text(it) => long(it.as_ref().map(|it| utf16(it))),
            Self::Long(it) => chunked(it.as_deref()),
            Self::Decimal(it, ..) => {
                short(it.map(|it| {
                    [&[u8::from(it >= 0)][..], &it.unsigned_abs().to_le_bytes()].concat()
                }))
            }
            Self::Bytes(it) => long(it.clone()),
            Self::Date(it) => short(it.map(|it| it.to_le_bytes()[..3].to_vec())),
            Self::Moment(it) => {
                short(it.map(|(days, time)| {
                    [&time.to_le_bytes()[..5], &days.to_le_bytes()[..3]].concat()
                }))
            }
        }
    }
}

fn chunked(text: Option<&str>) -> Vec<u8> {
    let Some(text) = text else {
        return vec![0xff; 8];
    };
    let bytes = utf16(text);
    let mut value = (bytes.len() as u64).to_le_bytes().to_vec();
    // Chunks of odd length: a character may be cut in two.
    for chunk in bytes.chunks(999) {
        value.extend((chunk.len() as u32).to_le_bytes());
        value.extend(chunk);
    }
    value.extend([0; 4]);
    value
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn short_text(text: &str) -> Vec<u8> {
    [&[text.encode_utf16().count() as u8][..], &utf16(text)].concat()
}

fn text_of(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}
