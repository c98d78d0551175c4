package dev.chikaku.android

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import dev.chikaku.LogOnDisk
import dev.chikaku.RootKeyStore
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/**
 * Thirty-two bytes that seal the encounter log, wrapped by a key that never leaves the Keystore.
 *
 * The wrapped bytes and the install marker lie where no backup takes them, as the log does: on a
 * restored phone there is nothing of the three, and tracing begins anew.
 */
public class KeystoreRootKey(context: Context, private val alias: String = "dev.chikaku.root") : RootKeyStore {
    private val wrappedKey = File(context.noBackupFilesDir, "$alias.key")
    private val marker = File(context.noBackupFilesDir, "$alias.marker")

    override var installMarker: ByteArray?
        get() = marker.takeIf { it.exists() }?.readBytes()
        set(value) {
            if (value == null) marker.delete() else replace(marker, value)
        }

    /** Without it the log can never be read again. */
    @Synchronized
    override fun delete() {
        marker.delete()
        wrappedKey.delete()
        keyStore().deleteEntry(alias)
    }

    /** The root key; the caller overwrites it with zeros when the log is open. */
    @Synchronized
    override fun read(): ByteArray? {
        val wrapped = wrappedKey.takeIf { it.exists() }?.readBytes() ?: return null
        if (wrapped.size <= NONCE_BYTES) return null
        val key = keyStore().getKey(alias, null) as? SecretKey ?: return null
        return try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_BYTES))
            cipher.doFinal(wrapped, NONCE_BYTES, wrapped.size - NONCE_BYTES)
        } catch (_: GeneralSecurityException) {
            null
        }
    }

    @Synchronized
    override fun create(): ByteArray {
        delete()
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        generator.init(
            KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build(),
        )
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, generator.generateKey())
        val root = ByteArray(ROOT_BYTES).also(SecureRandom()::nextBytes)
        val wrapped = cipher.iv + cipher.doFinal(root)
        replace(wrappedKey, wrapped)
        return root
    }

    /** Whole or not at all, and on the medium when it returns. */
    private fun replace(file: File, bytes: ByteArray) {
        val fresh = File(file.path + ".new")
        FileOutputStream(fresh).use {
            it.write(bytes)
            it.fd.sync()
        }
        if (!fresh.renameTo(file)) throw IOException("the root key's file cannot be replaced")
    }

    private fun keyStore(): KeyStore = KeyStore.getInstance(PROVIDER).apply { load(null) }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val CIPHER = "AES/GCM/NoPadding"
        const val ROOT_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
    }
}

/** The log in the app's own storage, in no backup, sealed by a key in the Keystore. */
public fun logOnDisk(context: Context): LogOnDisk =
    LogOnDisk(File(context.noBackupFilesDir, "dev.chikaku.log"), KeystoreRootKey(context))
