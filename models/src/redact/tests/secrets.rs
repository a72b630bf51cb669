//! Does redaction find passwords, keys and tokens, and leave the talk about them alone?

use super::{check, untouched};

#[test]
fn issued_secrets() {
    for secret in [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
        "glpat-abcdEFGH1234ijklMNOP",
        "xoxb-123456789012-abcdefghijkl",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "sk_live_0123456789abcdefABCDEF",
        "xoxc-123456789012-abcdefghijkl",
        "xoxd-abc%2Bdef%2Fghi123%3D",
        "ya29.a0AfH6SMBx-yz_0123",
        "GOCSPX-abcDEF0123-ghi_jkl",
    ] {
        check(&format!("use {secret} here"), "use [SECRET_1] here");
        check(&format!("{secret}\nagain: {secret}"), "[SECRET_1]\nagain: [SECRET_1]");
    }
    check("Authorization: Bearer abc.DEF-123_456", "Authorization: Bearer [SECRET_1]");
    check("authorization: Basic dXNlcjpwYXNzMQ==", "authorization: Basic [SECRET_1]");
    check("Cookie: session=abc123; theme=dark\nnext", "Cookie: [SECRET_1]\nnext");
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC==\n-----END RSA PRIVATE KEY-----";
    check(&format!("key:\n{key}\ndone"), "key:\n[SECRET_1]\ndone");
    check("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\nand so on", "[SECRET_1]\nand so on");
    check(
        "-----BEGIN PRIVATE KEY-----\npassword=aaA00AA,aaA00AA",
        "[SECRET_1]\npassword=[SECRET_2],[SECRET_2]",
    );
    check(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,2AF0\n\nMIIEowIBAAKCAQEA\nxy==\nERROR: no",
        "[SECRET_1]\nERROR: no",
    );
    check(
        r"> -----BEGIN EC PRIVATE KEY-----\n> Proc-Type: 4,ENCRYPTED\n> MIIEowIBAAKCAQEA\n> so far",
        r"> [SECRET_1]\n> so far",
    );
    let putty = "Private-Lines: 2\nAAAAB3NzaC1yc2EAAAADAQAB\nq2Fg==\nPrivate-MAC: 0a1b2c";
    check(&format!("Comment: x\n{putty}\nthanks"), "Comment: x\n[SECRET_1]\nthanks");
    check("Private-Lines: 8\nAAAAB3NzaC1yc2EAAAADAQAB\nand so on", "[SECRET_1]\nand so on");
    check("x?sv=2022&sig=AbC%2Bd0123%3D&se=1", "x?sv=2022&sig=[SECRET_1]&se=1");
    check("Ocp-Apim-Subscription-Key: 0123456789abcdef", "Ocp-Apim-Subscription-Key: [SECRET_1]");
    check("jdbc:oracle:thin:scott/tiger9x@db", "jdbc:oracle:thin:[SECRET_1]@db");
    check("sqlplus -s scott/tiger9x@db", "sqlplus -s [SECRET_1]@db");
    check("mysql -uroot -phunter7x shop", "mysql -uroot -p[SECRET_1] shop");
    check("mysqldump -h db -p'hunter 7x' shop", "mysqldump -h db -p'[SECRET_1]' shop");
    untouched(&["mysql -u root -p shop -P3306", "jdbc:oracle:thin:@db:1521/xe", "a&b=c significant=1"]);
    untouched(&["the bearer of bad news", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]);
}

#[test]
fn assigned_secrets() {
    check("password=hunter2", "password=[SECRET_1]");
    check("Password: Summer2024!", "Password: [SECRET_1]");
    check("password: hunter", "password: [SECRET_1]");
    check(r#"{"db_password": "a b\"c", "user": "x"}"#, r#"{"db_password": "[SECRET_1]", "user": "x"}"#);
    check("api_key: 'abc-123-def'", "api_key: '[SECRET_1]'");
    check("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[SECRET_1]");
    check(
        "Server=db;User Id=sa;Password=p@ss;Timeout=3",
        "Server=db;User Id=sa;Password=[SECRET_1];Timeout=3",
    );
    check("postgres://app:s3cr:et@db/x", "postgres://[SECRET_1]@db/x");
    check("mysql --password hunter2 -h x", "mysql --password [SECRET_1] -h x");
    check("curl -s -u bob:pw1 http://x", "curl -s -u [SECRET_1] http://x");
    check("my password is Winter23! thanks", "my password is [SECRET_1] thanks");
    check("password=Winter-23x I typed Winter-23x twice", "password=[SECRET_1] I typed [SECRET_1] twice");
    check("plink -pw hunter2x host", "plink -pw [SECRET_1] host");
    untouched(&[
        "Password: please reset it",
        "password: reset required, password expired, Password is incorrect",
        "token: expired; token=null; max_tokens: 256; tokens=12",
        "password = getPassword()",
        "password: ${DB_PASSWORD} password=<your password> password=********",
        "the secret: always be polite to users",
        "passwordless: true, password_policy: strict, secretName: vault",
        "pass: 12 fail: 3",
        "http://example.org:8080/path@x and redis://cache:6379",
    ]);
}

#[test]
fn secrets_under_other_names() {
    check("pw: hunter2", "pw: [SECRET_1]");
    check("user bob pass=hunter3x", "user bob pass=[SECRET_1]");
    check("User: bob\nPass: hunter3x", "User: bob\nPass: [SECRET_1]");
    check("DB_PASSWORD_PROD=hunter6x MYSQL_PW=hunter", "DB_PASSWORD_PROD=[SECRET_1] MYSQL_PW=[SECRET_2]");
    check(
        "passwordProd: hunter6x, password_reset_token: abc123",
        "passwordProd: [SECRET_1], password_reset_token: [SECRET_2]",
    );
    check("client_secret_2=abc-123-def", "client_secret_2=[SECRET_1]");
    untouched(&[
        "PASS: 12 tests, PASS: test_12, PASS: tests/a1.sh, pass: 120ms, Pass: completed",
        "pass the ticket on, bypass=mode12, npw: hunter2, the pass is 3.5 km",
        "password_policy: strict1, PasswordLastSet: 133497000000, pwdLastSet=133497000000, badPwdCount: 3",
        "passwords: 12 changed, password_min_length=12, password_changed_at: 2024-01-15",
        "tokenizer: bert-base-uncased, token_type: bearer1234, max_tokens: 128000, secret_name: vault-main",
        "self-service-password portal, power: 12kW",
    ]);
}

#[test]
fn secrets_in_markup() {
    check("<password>hunter4x</password>", "<password>[SECRET_1]</password>");
    check(
        "<db:adminPassword type='x'>\n hunt er \n</db:adminPassword>",
        "<db:adminPassword type='x'>\n [SECRET_1] \n</db:adminPassword>",
    );
    check("<api-key><![CDATA[abc-123-def]]></api-key>", "<api-key><![CDATA[[SECRET_1]]]></api-key>");
    check(r#"<add key="password" value="hunter4x"/>"#, r#"<add key="password" value="[SECRET_1]"/>"#);
    check(
        r#"<input type='password' id='p' value='hunter4x'>"#,
        r#"<input type='password' id='p' value='[SECRET_1]'>"#,
    );
    check(
        r#"{"name": "DB_PASSWORD", "value": "hunter4x"}"#,
        r#"{"name": "DB_PASSWORD", "value": "[SECRET_1]"}"#,
    );
    check(
        r#"{\"password\":\"hunter5x\",\"user\":\"bob\"}"#,
        r#"{\"password\":\"[SECRET_1]\",\"user\":\"bob\"}"#,
    );
    check(r#"{\"password\":\"a\\\"b\\nc\"}"#, r#"{\"password\":\"[SECRET_1]\"}"#);
    check("**Password:** Winter-x and **pw**: hunter", "**Password:** [SECRET_1] and **pw**: [SECRET_2]");
    untouched(&[
        "<passwordPolicy>strict1</passwordPolicy><label for='password'>Password</label>",
        "<password>${DB_PASSWORD}</password><token>none</token>",
        r#"<add key="passwordPolicy" value="strict"/> <input type="password" name="p">"#,
    ]);
}

#[test]
fn secrets_that_look_like_code() {
    check("password=$ecret123!", "password=[SECRET_1]");
    check("Password: Summer(2024)x", "Password: [SECRET_1]");
    check("(password=hunter2x)", "(password=[SECRET_1])");
    check("password={hunter2x} password=%hunter%2x", "password=[SECRET_1] password=[SECRET_2]");
    check("password=Sum&mer2024 done", "password=[SECRET_1] done");
    check("/x?user=bob&password=hunter2x&next=1", "/x?user=bob&password=[SECRET_1]&next=1");
    check("/x?db_password=hunter2x&next=1", "/x?db_password=[SECRET_1]&next=1");
    untouched(&[
        "password=$DB_PASSWORD password=${db.password} password={{ vault_pw }} password=%PW% password=$(cat pw)",
        "password=os.getenv(\"X1\") password = getPassword(); password=%s password=(none) password=[hidden]",
        "password={password} -Password <your password>",
    ]);
}

#[test]
fn secrets_in_sentences_and_tables() {
    check("Password:\nSpring25!x\nthanks", "Password:\n[SECRET_1]\nthanks");
    check("Password\r\nSpring25!x", "Password\r\n[SECRET_1]");
    check("| Password | hunter8x |", "| Password | [SECRET_1] |");
    check("Password\thunter8x", "Password\t[SECRET_1]");
    check("username/password bob/Winter24!", "username/password [SECRET_1]");
    check("password for bob is Winter23!, ok", "password for bob is [SECRET_1], ok");
    check("password for b@example.org is: Winter23.", "password for [EMAIL_1] is: [SECRET_1].");
    check("password (temporary): Winter23", "password (temporary): [SECRET_1]");
    check("password Winter24!", "password [SECRET_1]");
    check("password from Winter26! to Winter27!", "password from [SECRET_1] to [SECRET_2]");
    check("password was changed to \"Winter23\".", "password was changed to \"[SECRET_1]\".");
    check(
        "Passwort auf Winter23! geändert, pin is 4711",
        "Passwort auf [SECRET_1] geändert, pin is [SECRET_2]",
    );
    let long = "aB3".repeat(200);
    check(&format!("password is {long}, ok"), "password is [SECRET_1], ok");
    untouched(&[
        "Failed password for root from web-7 port 22 ssh2: invalid user admin2",
        "password expired, INC0012345; password reset for INC0012345 was closed on 2024-01-15",
        "password for user42 on db-03 expires in 14 days, password is 90 days old",
        "forgot password?\nServer2019 is down, password Office365, password KB5001234 is installed",
        "password reset link is https://example.org/reset and the password for ann is INC0012345",
        "the password.\n\nhunter2x, password-protected zip1, Password is case-sensitive, 1password7",
        "password prompt on srv12 is gone, Password must be at least 12 characters",
    ]);
}
