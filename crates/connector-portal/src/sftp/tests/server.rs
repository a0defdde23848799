//! An SFTP server of a folder, over russh: user `agency`, password `s3cr3t` or a key.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKey, key::safe_rng};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode, Version,
};

pub(super) struct Served {
    pub(super) port: u16,
    pub(super) dir: tempfile::TempDir,
    pub(super) fingerprint: String,
    pub(super) host_key: String,
    pub(super) user_key: String,
    pub(super) other_key: String,
    pub(super) other_public_key: String,
}

impl Served {
    pub(super) async fn start() -> Self {
        let key = || PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        let (host, user, other) = (key(), key(), key());
        let dir = tempfile::tempdir().unwrap();
        let served = Self {
            port: 0,
            fingerprint: host.public_key().fingerprint(HashAlg::Sha256).to_string(),
            host_key: host.public_key().to_openssh().unwrap(),
            user_key: user.to_openssh(LineEnding::LF).unwrap().to_string(),
            other_key: other.to_openssh(LineEnding::LF).unwrap().to_string(),
            other_public_key: other.public_key().to_openssh().unwrap(),
            dir,
        };
        for (path, text) in [
            ("out/2025/b.csv", "2"),
            ("out/2025/a.csv", "1"),
            ("out/2026/điểm thi.csv", "3"),
            ("out/readme.txt", "4"),
            ("out/locked.csv", "5"),
            ("locked/a.csv", "6"),
        ] {
            served.write(path, text);
        }
        let config = Arc::new(server::Config {
            auth_rejection_time: std::time::Duration::ZERO,
            keys: vec![host],
            ..server::Config::default()
        });
        let entry = Entry {
            root: served.dir.path().to_owned(),
            user_key: user.public_key().clone(),
            channels: HashMap::new(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (config, entry) = (Arc::clone(&config), entry.anew());
                tokio::spawn(async move {
                    // A client that breaks off is none of the server's errors.
                    if let Ok(session) = server::run_stream(config, client, entry).await {
                        let _ = session.await;
                    }
                });
            }
        });
        Self { port, ..served }
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

struct Entry {
    root: PathBuf,
    user_key: PublicKey,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Entry {
    fn anew(&self) -> Self {
        Self {
            root: self.root.clone(),
            user_key: self.user_key.clone(),
            channels: HashMap::new(),
        }
    }
}

impl server::Handler for Entry {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(match (user, password) {
            ("agency", "s3cr3t") => Auth::Accept,
            _ => Auth::reject(),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let shown = key.public_key.key_data();
        Ok(
            match user == "agency" && shown == self.user_key.key_data() {
                true => Auth::Accept,
                false => Auth::reject(),
            },
        )
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let channel = self.channels.remove(&id).unwrap();
        session.channel_success(id)?;
        let folder = Folder {
            root: self.root.clone(),
            listed: Vec::new(),
        };
        russh_sftp::server::run(channel.into_stream(), folder).await;
        Ok(())
    }
}

struct Folder {
    root: PathBuf,
    listed: Vec<String>,
}

impl Folder {
    fn path(&self, path: &str) -> Result<PathBuf, StatusCode> {
        match path.contains("locked") {
            true => Err(StatusCode::PermissionDenied),
            false => Ok(self.root.join(path.trim_start_matches('/'))),
        }
    }

    fn attributes(path: &Path) -> Result<FileAttributes, StatusCode> {
        let metadata = std::fs::metadata(path).map_err(|_| StatusCode::NoSuchFile)?;
        Ok(FileAttributes::from(&metadata))
    }
}

impl russh_sftp::server::Handler for Folder {
    type Error = StatusCode;

    fn unimplemented(&self) -> Self::Error {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, Self::Error> {
        Ok(Version::new())
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        // Who may not read a file may see it all the same.
        let path = self.root.join(path.trim_start_matches('/'));
        let attrs = Self::attributes(&path)?;
        Ok(Attrs { id, attrs })
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        _: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        self.path(&path)?;
        Ok(Handle { id, handle: path })
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, Self::Error> {
        let bytes = std::fs::read(self.path(&handle)?).map_err(|_| StatusCode::NoSuchFile)?;
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        if rest.is_empty() {
            return Err(StatusCode::Eof);
        }
        let data = rest[..rest.len().min(len as usize)].to_vec();
        Ok(Data { id, data })
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        self.listed.retain(|listed| *listed != handle);
        Ok(Status {
            id,
            status_code: StatusCode::Ok,
            error_message: "Ok".to_owned(),
            language_tag: "en".to_owned(),
        })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        match self.path(&path)?.is_dir() {
            true => Ok(Handle { id, handle: path }),
            false => Err(StatusCode::NoSuchFile),
        }
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        if self.listed.contains(&handle) {
            return Err(StatusCode::Eof);
        }
        let found = std::fs::read_dir(self.path(&handle)?).unwrap();
        let files = found.map(|entry| {
            let entry = entry.unwrap();
            let attributes = Self::attributes(&entry.path()).unwrap();
            File::new(entry.file_name().to_string_lossy(), attributes)
        });
        let files = files.collect();
        self.listed.push(handle);
        Ok(Name { id, files })
    }
}
